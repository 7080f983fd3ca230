//! An HTTP client that answers from a list and remembers what it was asked.

use crate::aws::session::InProcess;
use crate::aws::{Session, Sessions, SessionsOptions, Target};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// One canned answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, headers, body.
    Http(u16, Vec<(&'static str, &'static str)>, String),
    /// Never answers.
    Hang,
    /// The connection breaks after the request was sent.
    Break,
    /// The connection is refused.
    Refuse,
}

pub(crate) fn ok(body: &str) -> Reply {
    Reply::Http(200, vec![], body.to_owned())
}

/// An error of a JSON service.
pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Http(
        status,
        vec![("x-amzn-requestid", "req-1")],
        format!(r#"{{"__type":"{code}","Message":"{message}"}}"#),
    )
}

/// An error of a Query service.
pub(crate) fn xml_error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>in the body</RequestId></ErrorResponse>"
    );
    Reply::Http(status, vec![("x-amzn-requestid", "req-2")], body)
}

/// What was asked: method, path with query, body, headers.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Canned {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Canned {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { replies: Arc::new(Mutex::new(replies.into_iter().collect())), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn sessions(&self, options: SessionsOptions) -> Sessions {
        let wire = InProcess {
            http_client: SharedHttpClient::new(self.clone()),
            credentials: Credentials::new(
                "AKIDEXAMPLE",
                "secret",
                Some("token".to_owned()),
                None,
                "test",
            ),
            time_source: None,
        };
        Sessions::in_process(options, wire)
    }

    pub(crate) async fn session(&self) -> Session {
        let options = SessionsOptions {
            region: Some("us-east-2".to_owned()),
            seed: Some(1),
            ..SessionsOptions::default()
        };
        self.sessions(options).session(&Target::default()).await.unwrap()
    }
}

impl HttpClient for Canned {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.asked.lock().unwrap().push(Asked {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            body,
            headers,
        });
        let reply =
            self.replies.lock().unwrap().pop_front().expect("one more request than canned answers");
        HttpConnectorFuture::new(async move {
            match reply {
                Reply::Http(status, headers, body) => {
                    let mut response =
                        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                    for (name, value) in headers {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                Reply::Hang => std::future::pending().await,
                Reply::Break => Err(ConnectorError::io("connection reset by peer".into())),
                Reply::Refuse => Err(ConnectorError::io(
                    std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into(),
                )),
            }
        })
    }
}
