//! A secret reaches the server it is bound to, and nobody else: no guest, no log, no answer.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::*;
use crate::secrets::{Secret, SecretValue};

const VALUE: &str = "s3cret-value-of-the-deploy-key";

/// May use `deploy-key`, bound to this server and to no other.
async fn with_secret(server: &Server) -> Bench {
    let mut bench = Bench::new().await.http(&server.origin, true);
    bench.grants.secrets.insert("deploy-key".parse().unwrap());
    bench.set("deploy-key", VALUE, &[&server.origin]);
    bench
}

impl Bench {
    fn set(&self, name: &str, value: &str, origins: &[&str]) {
        let origins: BTreeSet<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        let value = SecretValue::new(Zeroizing::new(value.as_bytes().to_vec()));
        let secret = Secret { name: name.to_owned(), value, origins, headers: ["authorization".to_owned()].into() };
        self.host.secrets.lock().unwrap().insert(name.to_owned(), secret);
    }

    fn revealing(mut self, value: &str) -> Self {
        self.grants.reveal.insert("deploy-key".parse().unwrap());
        self.set("deploy-key", value, &[]);
        self
    }
}

/// The value, changed so that the guest can look for it without holding it.
fn disguised() -> String {
    hex::encode(VALUE.bytes().map(|byte| byte ^ 0x55).collect::<Vec<u8>>())
}

#[tokio::test]
async fn the_value_reaches_the_server_and_never_the_guest() {
    let server = Server::start().await;
    let bench = with_secret(&server).await;
    for scheme in ["bearer", "basic", "wasi"] {
        let seen = server.seen.lock().unwrap().len();
        // It looks through all of its memory, before and after the server has sent the value back.
        let found = bench.summary(&format!("present deploy-key {scheme} {}/echo {}", server.origin, disguised())).await;
        let request = server.seen.lock().unwrap()[seen].clone();
        let sent = match scheme {
            "basic" => format!("Basic {}", base64(&format!("ann:{VALUE}"))),
            _ => format!("Bearer {VALUE}"),
        };
        assert!(request.contains(&sent), "{scheme}: {request}");
        assert_eq!(found, "not in memory", "{scheme}");
    }
    assert_eq!(bench.host.denials(), Vec::<String>::new());
    assert!(!bench.host.lines().contains(VALUE), "{}", bench.host.lines());
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}

/// So that the test above can fail.
#[tokio::test]
async fn what_is_in_a_guests_memory_is_found_there() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true).revealing(VALUE);
    assert_eq!(bench.summary(&format!("reveal-and-look deploy-key {}", disguised())).await, "in memory");
}

#[tokio::test]
async fn a_secret_goes_nowhere_else() {
    let (server, other) = (Server::start().await, Server::start().await);
    let bench = with_secret(&server).await.http(&other.origin, true);
    let failure =
        bench.error(&format!("present deploy-key bearer {}/hello {}", other.origin, disguised())).await.failure();
    assert_eq!(failure.code, "denied");
    assert!(failure.message.contains("may not travel to"), "{}", failure.message);
    assert_eq!(other.seen.lock().unwrap().len(), 0);
    assert_eq!(bench.host.denials(), [format!("secret `deploy-key` to {}", other.origin)]);
    // A redirect is the guest's to follow, and is checked like any other request.
    let answer = bench.summary(&format!("http GET {}/redirect", server.origin)).await;
    assert!(answer.starts_with("302"), "{answer}");
}

#[tokio::test]
async fn a_placeholder_of_another_call_is_only_text() {
    let server = Server::start().await;
    let bench = with_secret(&server).await;
    let first = bench.summary("secret deploy-key").await;
    let second = bench.summary("secret deploy-key").await;
    assert!(first.starts_with("lg-secret-") && first.len() == "lg-secret-".len() + 32, "{first}");
    assert_ne!(first, second);
    let echoed = bench.summary(&format!("http GET {}/echo x-key {first}", server.origin)).await;
    assert!(echoed.contains(&first), "{echoed}");
}

#[tokio::test]
async fn a_secret_that_is_not_granted_or_not_there_is_denied() {
    let server = Server::start().await;
    let bench = with_secret(&server).await;
    for (secret, says) in [("other", "is not granted"), ("Deploy-Key", "is not granted"), ("", "is not granted")] {
        let failure = bench.error(&format!("secret {secret}")).await.failure();
        assert_eq!(failure.code, "denied", "{secret}");
        assert!(failure.message.contains(says), "{}", failure.message);
    }
    assert_eq!(bench.host.denials(), ["secret `other`", "secret `Deploy-Key`", "secret ``"]);
    let failure = bench.error("reveal deploy-key").await.failure();
    assert_eq!(failure.code, "denied", "to send it is not to see it");
    assert!(bench.host.revealed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_revealed_is_on_record_and_shown_in_nothing_the_call_says() {
    let bench = Bench::new().await.revealing("first line\nsecond line");
    let answer = bench.advance("reveal deploy-key").await.unwrap();
    assert_eq!(bench.host.revealed.lock().unwrap()[..], ["deploy-key"]);
    check(&answer.summary, expect!["it is (secret)"]);
    check(&answer.outputs, expect![[r#"{"(secret)":"(secret)"}"#]]);
    check(
        bench.host.lines(),
        expect![[r#"
        info logged (secret) key=(secret)
        info (secret)
        info (secret)
    "#]],
    );
    assert_eq!(bench.host.progress(), [(1, "(secret)".to_owned())]);
    let failure = bench.error("reveal-and-fail deploy-key").await.failure();
    check(
        format!("{} {} {}", failure.code, failure.message, failure.details),
        expect![[r#"
        oh (secret) {"it":"(secret)"}"#]],
    );
    let failure = bench.error("reveal-and-panic deploy-key").await.failure();
    assert!(!format!("{failure:?}").contains("line"), "{failure:?}");
}

/// What one call has left with a server does not come back to another one that has no secret at all.
#[tokio::test]
async fn a_server_that_keeps_a_value_does_not_tell_it_to_another_call() {
    let server = Server::start().await;
    let bench = with_secret(&server).await;
    let mut other = Bench::new().await.http(&server.origin, true);
    other.host = bench.host.clone();
    let answer = other.summary(&format!("http GET {}/echo x-kept {VALUE}", server.origin)).await;
    assert!(answer.contains("x-kept: (secret)") && !answer.contains(VALUE), "{answer}");
}

#[tokio::test]
async fn a_secret_stands_only_in_headers_it_is_bound_to() {
    let server = Server::start().await;
    let bench = with_secret(&server).await;
    let failure = bench.error(&format!("present-in user-agent deploy-key {}/hello", server.origin)).await.failure();
    assert_eq!(failure.code, "denied");
    assert!(failure.message.contains("--header user-agent"), "{}", failure.message);
    assert_eq!(server.seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn state_never_keeps_what_was_revealed_and_few_values_a_call() {
    let mut bench = Bench::new().await.revealing(VALUE);
    bench.grants.state = Some("counts".parse().unwrap());
    assert_eq!(bench.error("reveal-and-put deploy-key").await.failure().code, "denied");
    let failure = bench.error("state-often 33").await.failure();
    assert_eq!(failure.code, "limit");
    assert!(failure.message.contains("at most 32"), "{}", failure.message);
}

#[tokio::test]
async fn a_cursor_never_keeps_what_was_revealed() {
    let bench = Bench::new().await.revealing(VALUE);
    let error = bench.error("reveal-and-keep deploy-key").await;
    assert_eq!((&error, error.failure().code.as_str()), (&CallError::KeptSecret, "denied"));
}

#[tokio::test]
async fn only_granted_methods_are_sent() {
    let server = Server::start().await;
    let mut bench = Bench::new().await;
    let methods = ["GET".to_owned(), "HEAD".to_owned()].into();
    bench.grants.http.insert(HttpGrant { origin: server.origin.clone(), private_network: true, methods });
    assert!(bench.summary(&format!("http GET {}/hello", server.origin)).await.starts_with("200"));
    let failure = bench.error(&format!("http POST {}/hello", server.origin)).await.failure();
    assert_eq!(failure.code, "denied");
    assert!(failure.message.contains("only GET, HEAD"), "{}", failure.message);
    // As it is written: no server is asked what it makes of it.
    assert_eq!(bench.error(&format!("http get {}/hello", server.origin)).await.failure().code, "denied");
    let posts = server.seen.lock().unwrap().iter().filter(|request| !request.starts_with("GET")).count();
    assert_eq!(posts, 0);
    assert_eq!(bench.host.denials()[0], format!("http POST {}", server.origin));
}

#[tokio::test]
async fn calls_over_their_plugins_own_limit_wait() {
    let bench = Bench::new().await.limits(|limits| limits.concurrent_calls = Some(1));
    let first = bench.started("wait 60000").await;
    let second = bench.started("echo");
    let mut second = std::pin::pin!(second);
    // It has no place, so it says nothing.
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!(bench.host.lines(), "info waiting\n");
    bench.cancelled.cancel();
    assert!(first.await.unwrap().is_ok());
}
