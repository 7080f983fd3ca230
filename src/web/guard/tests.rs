use super::*;
use axum::http::Request;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn guard(token: Option<&str>, local: IpAddr) -> Guard {
    let token = token.map(Secret::new);
    Guard::new(&["Ted.Example.COM".to_owned()], token.as_ref(), local)
}

/// What becomes of a request: 200 when it is let pass.
fn status(guard: &Guard, method: Method, uri: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let order = |()| match parts.method {
        Method::POST => guard.check_order(&parts.headers),
        _ => Ok(()),
    };
    let checked = guard.check(&parts.method, &parts.uri, &parts.headers).and_then(order);
    checked.err().map_or(200, |refusal| refusal.status.as_u16())
}

#[test]
fn only_our_own_hosts_are_answered() {
    let guard = guard(None, LOOPBACK);
    for (host, wanted, why) in [
        ("localhost", 200, "the usual name"),
        ("LocalHost:8080", 200, "names have no case"),
        ("localhost.:8080", 200, "absolute"),
        ("127.0.0.1:1", 200, "whatever the port: it may be forwarded"),
        ("[::1]:8080", 200, "IPv6"),
        ("192.168.7.9", 200, "an address cannot be pointed elsewhere"),
        ("ted.example.com", 200, "configured"),
        ("TED.example.com.:443", 200, "configured, spelled otherwise"),
        ("evil.example", 421, "DNS rebinding"),
        ("ted.example.com.evil.example", 421, "begins like ours"),
        ("localhost.evil.example", 421, "begins like ours"),
        ("127.0.0.1.nip.io", 421, "looks like an address"),
        ("0x7f000001", 421, "an address in no form that standards know"),
        ("2130706433", 421, "the same as a number"),
        ("evil@localhost", 421, "user information is part of no host"),
        ("localhost:80:80", 400, "two ports"),
        ("localhost:http", 400, "no port"),
        ("localhost:99999", 400, "no port either"),
        ("[::1", 400, "a bracket"),
        ("[evil.example]", 400, "brackets around a name"),
        ("[::1]x", 400, "something after the bracket"),
        ("", 400, "nothing"),
        (".", 400, "less than nothing"),
    ] {
        assert_eq!(status(&guard, Method::GET, "/", &[("host", host)]), wanted, "{why}: {host}");
    }
    let twice = [("host", "localhost"), ("host", "localhost")];
    assert_eq!(status(&guard, Method::GET, "/", &twice), 400, "two hosts");
    assert_eq!(status(&guard, Method::GET, "/", &[]), 400, "no host");
}

#[test]
fn a_request_line_with_a_host_has_to_agree() {
    let guard = guard(None, LOOPBACK);
    for (uri, wanted) in
        [("http://localhost:8080/", 200), ("http://evil.example/", 400), ("http://localhost/", 400)]
    {
        let status = status(&guard, Method::GET, uri, &[("host", "localhost:8080")]);
        assert_eq!(status, wanted, "{uri}");
    }
}

#[test]
fn no_other_page_is_answered() {
    let guard = guard(None, LOOPBACK);
    let json = ("content-type", "application/json");
    let host = ("host", "localhost:8080");
    for (method, page, wanted, why) in [
        (Method::POST, vec![("origin", "http://localhost:8080")], 200, "our own page"),
        (Method::POST, vec![("origin", "http://LOCALHOST:8080")], 200, "names have no case"),
        (Method::POST, vec![], 200, "no page: a command"),
        (Method::POST, vec![("origin", "http://localhost:8081")], 403, "another server here"),
        (Method::POST, vec![("origin", "http://localhost")], 403, "another port"),
        (Method::POST, vec![("origin", "http://127.0.0.1:8080")], 403, "not the host asked for"),
        (Method::POST, vec![("origin", "https://evil.example")], 403, "another site"),
        (Method::POST, vec![("origin", "null")], 403, "a sandbox or a file"),
        (Method::POST, vec![("origin", "")], 403, "nothing that we know"),
        (Method::POST, vec![("sec-fetch-site", "cross-site")], 403, "another site, no origin"),
        (Method::POST, vec![("sec-fetch-site", "same-site")], 403, "another port"),
        (Method::POST, vec![("sec-fetch-site", "same-origin")], 200, "our own page"),
        (Method::GET, vec![("origin", "https://evil.example")], 403, "reading, too"),
        (
            Method::GET,
            vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
            403,
            "embedded elsewhere",
        ),
        (
            Method::GET,
            vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
            200,
            "a link",
        ),
        (
            Method::POST,
            vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
            403,
            "a form that is sent",
        ),
    ] {
        let headers: Vec<_> = page.into_iter().chain([host, json]).collect();
        assert_eq!(status(&guard, method, "/", &headers), wanted, "{why}: {headers:?}");
    }
}

#[test]
fn default_ports_may_be_left_out() {
    let guard = guard(None, LOOPBACK);
    for (host, origin, wanted) in [
        ("ted.example.com", "https://ted.example.com", 200),
        ("ted.example.com:443", "https://ted.example.com", 200),
        ("ted.example.com", "http://ted.example.com:80", 200),
        ("ted.example.com:80", "https://ted.example.com", 403),
        ("[::1]:8080", "http://[::1]:8080", 200),
    ] {
        let headers = [("host", host), ("origin", origin), ("content-type", "application/json")];
        assert_eq!(status(&guard, Method::POST, "/", &headers), wanted, "{headers:?}");
    }
}

#[test]
fn an_order_is_no_form() {
    let guard = guard(None, LOOPBACK);
    for (header, wanted, why) in [
        (Some(("content-type", "application/json")), 200, "JSON"),
        (Some(("content-type", "Application/JSON; charset=utf-8")), 200, "JSON, in full"),
        (Some(("x-ted-controller", "1")), 200, "no body, and no form can have this"),
        (None, 415, "what any page may send"),
        (Some(("content-type", "text/plain")), 415, "what any page may send"),
        (Some(("content-type", "application/x-www-form-urlencoded")), 415, "a form"),
        (Some(("content-type", "text/plain; application/json")), 415, "not JSON for a browser"),
        (Some(("content-type", "")), 415, "nothing"),
    ] {
        let headers: Vec<_> = header.into_iter().chain([("host", "localhost")]).collect();
        assert_eq!(status(&guard, Method::POST, "/", &headers), wanted, "{why}: {headers:?}");
    }
    let packed =
        [("host", "localhost"), ("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(
        status(&guard, Method::POST, "/", &packed),
        415,
        "a small body that unpacks to much"
    );
}

#[test]
fn the_token_is_asked_for_where_it_must_be() {
    let token = "s3cret-\u{e9}";
    let good = format!("Bearer {token}");
    for (configured, local, sent, wanted, why) in [
        (None, LOOPBACK, None, 200, "nothing configured, only this machine"),
        (None, IpAddr::V6(Ipv6Addr::LOCALHOST), None, 200, "IPv6"),
        (None, "::ffff:127.0.0.1".parse().unwrap(), None, 200, "IPv4 in IPv6"),
        (None, EVERYWHERE, None, 403, "no token: no orders"),
        (None, IpAddr::V6(Ipv6Addr::UNSPECIFIED), None, 403, "IPv6"),
        (None, EVERYWHERE, Some("Bearer x"), 403, "no token is right"),
        (Some(token), EVERYWHERE, Some(good.as_str()), 200, "the token"),
        (Some(token), LOOPBACK, Some(good.as_str()), 200, "the token"),
        (Some(token), LOOPBACK, None, 401, "configured: asked for on loopback as well"),
        (Some(token), EVERYWHERE, Some("bearer s3cret"), 401, "the beginning of it"),
        (Some(token), EVERYWHERE, Some("Bearer"), 401, "nothing"),
        (Some(token), EVERYWHERE, Some("Bearer "), 401, "nothing"),
        (Some(token), EVERYWHERE, Some("Basic s3cret"), 401, "another scheme"),
    ] {
        let mut headers = vec![("host", "localhost"), ("content-type", "application/json")];
        headers.extend(sent.map(|sent| ("authorization", sent)));
        let guard = guard(configured, local);
        assert_eq!(status(&guard, Method::POST, "/", &headers), wanted, "{why}");
        assert_eq!(status(&guard, Method::GET, "/", &[("host", "localhost")]), 200, "{why}: reads");
        assert!(!format!("{guard:?}").contains("s3cret"));
    }
}
