//! Somebody who is told things over HTTP: answers as the test wants, or not at all, and remembers what was asked.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With this status, and with everything that it was sent.
    Answers(u16),
    /// It takes the request and says nothing.
    Hangs,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// How it was answered.
    pub(crate) manner: Manner,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The listener. Its threads end with the process.
pub(crate) struct Listener {
    pub(crate) address: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Listener {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (manner, asked) = (Arc::new(Mutex::new(manner)), Arc::new(Mutex::new(Vec::new())));
        let (its_manner, all) = (Arc::clone(&manner), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (manner, asked) = (Arc::clone(&its_manner), Arc::clone(&all));
                thread::spawn(move || serve(stream, &manner, &asked));
            }
        });
        Self { address, manner, asked }
    }

    pub(crate) fn answer_with(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Everything so far that was answered like this.
    pub(crate) fn asked(&self, manner: Manner) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.manner == manner).cloned().collect()
    }
}

fn serve(stream: TcpStream, manner: &Mutex<Manner>, all: &Mutex<Vec<Asked>>) {
    let Some(asked) = read(&stream, manner) else { return };
    all.lock().unwrap().push(asked.clone());
    let mut stream = stream;
    match asked.manner {
        Manner::Hangs => {
            // Until whoever asks has enough of it.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        Manner::Answers(status) => {
            let said = format!("{} {:?} {}", asked.path, asked.headers, asked.body);
            let length = said.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} Whatever\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{said}"
            );
        }
    }
}

fn read(stream: &TcpStream, manner: &Mutex<Manner>) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let manner = *manner.lock().unwrap();
    Some(Asked { path, headers, body: String::from_utf8(body).ok()?, manner })
}
