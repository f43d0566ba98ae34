//! A phase that does what its configuration says: a verb and its arguments, in plain text.

wit_bindgen::generate!({
    path: ["../../../../../wit/plugin", "../../../../../wit/phase", "../../../../../wit/process"],
    inline: "package test:phase; world test-phase { include lockgate:phase/phase-plugin@0.1.0; import lockgate:plugin/secrets-reveal@0.1.0; import lockgate:process/run@0.1.0; }",
    world: "test:phase/test-phase",
    generate_all,
});

use exports::lockgate::phase::phase::{Guest, Progressed};
use lockgate::process::run;
use lockgate::plugin::types::{Artifact, Call, Description, Failure, Field, Issue, Level, Retry};
use lockgate::plugin::{artifacts, artifacts_write, control, http, log, progress, secrets, secrets_reveal, state};

struct Plugin;
export!(Plugin);

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "test-phase".into(),
            version: "1.2.3".into(),
            summary: "does as it is told".into(),
            config_schema: r#"{"type":"string"}"#.into(),
            requests: r#"{"http":[{"config":"/url"}],"workspace":"read"}"#.into(),
            extra: vec![],
        }
    }

    fn validate(config: String) -> Vec<Issue> {
        match config.as_str() {
            "\"good\"" => vec![],
            "\"nosy\"" => {
                let outcome = state::get("key").err().map_or("allowed".into(), |failure| failure.code);
                vec![Issue { path: "".into(), message: outcome }]
            }
            other => vec![Issue { path: "".into(), message: format!("not good: {other}") }],
        }
    }

    fn advance(c: Call, config: String, subject: String, cursor: Vec<u8>) -> Result<Progressed, Failure> {
        let (verb, arguments) = config.split_once(' ').unwrap_or((&config, ""));
        let mut answer = Progressed {
            done: true,
            cursor: vec![],
            poll_after_ms: 0,
            summary: String::new(),
            outputs: String::new(),
            artifacts: vec![],
            extra: vec![],
        };
        match verb {
            "echo" => {
                answer.done = false;
                answer.cursor = cursor;
                answer.poll_after_ms = 250;
                answer.summary = subject;
                answer.outputs = format!(r#"{{"key":"{}","attempt":{}}}"#, c.idempotency_key, c.attempt);
            }
            "spin" => spin(),
            "spin-briefly" => {
                let rounds: u64 = arguments.parse().unwrap();
                answer.summary = (0..rounds).fold(0u64, |sum, i| std::hint::black_box(sum ^ i)).to_string();
            }
            "allocate" => allocate(arguments.parse().unwrap()),
            "panic" => panic!("the guest's own words"),
            "exit" => std::process::exit(3),
            "garbage" => answer.outputs = "{not json".into(),
            "bad-digest" => answer.artifacts = vec![artifact("sha256:nonsense")],
            "huge" => answer.outputs = format!("\"{}\"", "x".repeat(arguments.parse().unwrap())),
            "many-artifacts" => {
                let digest = format!("sha256:{}", "0".repeat(64));
                answer.artifacts = (0..arguments.parse().unwrap()).map(|_| artifact(&digest)).collect();
            }
            "fail" => {
                return Err(Failure {
                    code: "locked".into(),
                    message: "held elsewhere".into(),
                    retry: Retry::SameKey,
                    retry_after_ms: 5,
                    details: arguments.into(),
                });
            }
            "say" => say(),
            "flood" => (0..1_000_000).for_each(|i| println!("line {i}")),
            "flood-log" => loop {
                log::emit(Level::Info, "line", &[]);
            },
            "http" => answer.summary = exchange(arguments, 0)?,
            "http-in" => {
                let (timeout_ms, arguments) = arguments.split_once(' ').unwrap();
                answer.summary = exchange(arguments, timeout_ms.parse().unwrap())?;
            }
            "wasi-http" => answer.summary = wasi_http(arguments, wasip2::http::types::Fields::new()),
            "wasi-header" => {
                let value = vec![b'x'; arguments.parse().unwrap()];
                let outcome = wasip2::http::types::Fields::new().append("x-long", &value);
                answer.summary = format!("{outcome:?}");
            }
            "socket" => {
                answer.summary = match std::net::TcpStream::connect(arguments) {
                    Ok(_) => "connected".into(),
                    Err(error) => error.to_string(),
                }
            }
            "udp" => answer.summary = text(std::net::UdpSocket::bind(arguments).map(|_| "bound".into())),
            "stdin" => {
                let read = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                answer.summary = text(read.map(|bytes| format!("{bytes} bytes")));
            }
            "state-put" => answer.summary = state::put("k", b"v", 0)?.to_string(),
            "tool-start" => {
                let (args, env, stdin) = (vec![], vec![], vec![]);
                let command = run::Command { tool: arguments.into(), args, env, stdin, timeout_ms: 0 };
                run::start("key", &command)?;
            }
            "tool-poll" => drop(run::poll(arguments, 0, 0)?),
            "tool-stop" => run::stop(arguments)?,
            "read" => answer.summary = text(std::fs::read_to_string(arguments)),
            "write" => answer.summary = text(std::fs::write(arguments, "written").map(|()| "ok".into())),
            "surroundings" => {
                let (vars, args) = (std::env::vars().count(), std::env::args().count());
                answer.summary = format!("{vars} variables, {args} arguments");
            }
            "secret" => answer.summary = secrets::token(arguments)?,
            "present" => answer.summary = present(arguments)?,
            "reveal" => {
                let value = revealed(arguments)?;
                log::emit(
                    Level::Info,
                    &format!("logged {value}"),
                    &[Field { key: "key".into(), value: value.clone() }],
                );
                println!("{value}");
                progress::report(1, &value);
                answer.summary = format!("it is {value}");
                answer.outputs = serde_json::json!({ &value: value }).to_string();
            }
            "reveal-and-look" => {
                let (name, disguised) = arguments.split_once(' ').unwrap();
                let value = std::hint::black_box(revealed(name)?);
                answer.summary = look(disguised).into();
                drop(value);
            }
            "reveal-and-put" => drop(state::put("k", revealed(arguments)?.as_bytes(), 0)?),
            "state-often" => {
                for version in 0..arguments.parse().unwrap() {
                    state::put("often", b"v", version)?;
                }
            }
            "present-in" => {
                let [header, name, url] = arguments.split(' ').collect::<Vec<_>>()[..] else { panic!("{arguments}") };
                exchange(&format!("GET {url} {header} {}", secrets::token(name)?), 0)?;
            }
            "reveal-and-keep" => (answer.done, answer.cursor) = (false, revealed(arguments)?.into_bytes()),
            "reveal-and-panic" => panic!("it is {}", revealed(arguments)?),
            "reveal-and-fail" => {
                let value = revealed(arguments)?;
                return Err(Failure {
                    code: "oh".into(),
                    message: value.clone(),
                    retry: Retry::Never,
                    retry_after_ms: 0,
                    details: serde_json::json!({ "it": value }).to_string(),
                });
            }
            "state" => {
                let before = state::get("k")?.len();
                let version = state::put("k", b"v", 0)?;
                let entries = state::get("k")?;
                answer.summary = format!("{before} then {} at {version}", entries.len());
            }
            "artifact" => {
                let writer = artifacts_write::create("site")?;
                writer.write(b"hello ")?;
                writer.write(b"world")?;
                let digest = writer.finish()?;
                let reader = artifacts::open(&digest)?;
                let mut bytes = vec![];
                loop {
                    let chunk = reader.read(4)?;
                    if chunk.is_empty() {
                        break;
                    }
                    bytes.extend(chunk);
                }
                answer.summary = String::from_utf8(bytes).unwrap();
                answer.artifacts = vec![artifact(&digest)];
            }
            "open-artifact" => drop(artifacts::open(arguments)?),
            "hoard" => {
                let mut writers = vec![];
                for _ in 0..arguments.parse().unwrap() {
                    writers.push(artifacts_write::create("x")?);
                }
            }
            "clock" => {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
                let began = std::time::Instant::now();
                control::wait(arguments.parse().unwrap());
                answer.summary = format!("{} ms, then {} ms", now.as_millis(), began.elapsed().as_millis());
            }
            "random" => {
                use std::hash::{BuildHasher, RandomState};
                answer.summary = RandomState::new().hash_one("x").to_string();
            }
            "remaining" => answer.summary = control::remaining_ms().to_string(),
            "wait" => {
                log::emit(Level::Info, "waiting", &[]);
                let cancelled = control::wait(arguments.parse().unwrap());
                answer.summary = if cancelled { "cancelled".into() } else { "waited".into() };
            }
            "wait-on" => {
                log::emit(Level::Info, "waiting", &[]);
                loop {
                    std::thread::sleep(std::time::Duration::from_secs(1_000));
                }
            }
            "doze" => {
                for _ in 0..200 {
                    control::wait(1);
                }
            }
            other => panic!("no verb {other}"),
        }
        Ok(answer)
    }

    fn cancel(c: Call, config: String, subject: String, cursor: Vec<u8>) -> Result<Progressed, Failure> {
        Self::advance(c, config, subject, cursor)
    }
}

fn revealed(name: &str) -> Result<String, Failure> {
    Ok(String::from_utf8(secrets_reveal::reveal(name)?).unwrap())
}

/// `NAME bearer|basic|wasi URL DISGUISED`: sends the secret along, and says whether it was ever to be seen here.
fn present(arguments: &str) -> Result<String, Failure> {
    let [name, scheme, url, disguised] = arguments.split(' ').collect::<Vec<_>>()[..] else { panic!("{arguments}") };
    let token = secrets::token(name)?;
    let kept = match scheme {
        "basic" => {
            let encoded = data_encoding::BASE64.encode(format!("ann:{token}").as_bytes());
            exchange_with(url, &format!("Basic {encoded}"))?
        }
        "bearer" => exchange_with(url, &format!("Bearer {token}"))?,
        _ => wasi_http_with(url, &format!("Bearer {token}")),
    };
    let found = look(disguised);
    drop(std::hint::black_box(kept));
    Ok(found.into())
}

fn exchange_with(url: &str, authorization: &str) -> Result<Vec<u8>, Failure> {
    let authorization = Field { key: "authorization".into(), value: authorization.into() };
    let request = http::Request {
        method: "GET".into(),
        url: url.into(),
        headers: vec![authorization],
        body: vec![],
        timeout_ms: 0,
    };
    Ok(http::send(&request)?.body)
}

fn wasi_http_with(url: &str, authorization: &str) -> Vec<u8> {
    let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers = [("authorization".to_owned(), authorization.as_bytes().to_vec())];
    let headers = wasip2::http::types::Fields::from_list(&headers).unwrap();
    wasi_http(&format!("{authority} /{path}"), headers).into_bytes()
}

/// Looks through all of this instance's memory for a text whose bytes come as they are XOR 0x55.
fn look(disguised: &str) -> &'static str {
    let disguised: Vec<u8> = disguised
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let bytes = core::arch::wasm32::memory_size(0) << 16;
    // Address 0 is no reference.
    let is_here = |at: usize| {
        // SAFETY: every address below the memory's size can be read; nothing else runs meanwhile.
        disguised.iter().enumerate().all(|(i, byte)| unsafe { ((at + i) as *const u8).read_volatile() } ^ 0x55 == *byte)
    };
    if (1..bytes - disguised.len()).any(is_here) { "in memory" } else { "not in memory" }
}

fn spin() -> ! {
    log::emit(Level::Info, "spinning", &[]);
    let mut i = 0u64;
    loop {
        i = std::hint::black_box(i.wrapping_add(1));
    }
}

fn allocate(megabytes: usize) {
    let mut kept = Vec::new();
    for _ in 0..megabytes {
        kept.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
}

fn say() {
    use std::io::Write;
    println!("to stdout");
    eprintln!("to stderr");
    log::emit(Level::Debug, "to the log", &[Field { key: "a".into(), value: "b".into() }]);
    progress::report(40, "on the way");
    // A character in two writes.
    let snowman = "☃\n".as_bytes();
    for part in [&snowman[..2], &snowman[2..]] {
        std::io::stdout().write_all(part).unwrap();
        std::io::stdout().flush().unwrap();
    }
    print!("no end");
    std::io::stdout().flush().unwrap();
}

fn artifact(digest: &str) -> Artifact {
    Artifact {
        name: "site".into(),
        uri: "".into(),
        digest: digest.into(),
        media_type: "text/plain".into(),
        build_id: "".into(),
        stack: "".into(),
        application: "".into(),
        metadata: vec![],
    }
}

fn text(outcome: std::io::Result<String>) -> String {
    outcome.unwrap_or_else(|error| format!("error: {error}"))
}

/// `METHOD URL [header value]...`
fn exchange(arguments: &str, timeout_ms: u32) -> Result<String, Failure> {
    let words: Vec<&str> = arguments.split(' ').collect();
    let headers = words[2..].chunks(2).map(|pair| Field { key: pair[0].into(), value: pair[1].into() });
    let response = http::send(&http::Request {
        method: words[0].into(),
        url: words[1].into(),
        headers: headers.collect(),
        body: if words[0] == "POST" { b"body".to_vec() } else { vec![] },
        timeout_ms,
    })?;
    let body = String::from_utf8_lossy(&response.body);
    let shown = if body.len() > 1000 { format!("{} bytes", body.len()) } else { body.into_owned() };
    Ok(format!("{} {shown}{}", response.status, if response.truncated { " (truncated)" } else { "" }))
}

fn wasi_http(arguments: &str, headers: wasip2::http::types::Fields) -> String {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{OutgoingRequest, Scheme};
    let (authority, path) = arguments.split_once(' ').unwrap();
    let request = OutgoingRequest::new(headers);
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(path)).unwrap();
    let pending = match handle(request, None) {
        Ok(pending) => pending,
        Err(error) => return format!("{error:?}"),
    };
    pending.subscribe().block();
    let response = match pending.get().unwrap().unwrap() {
        Ok(response) => response,
        Err(error) => return format!("{error:?}"),
    };
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut bytes = vec![];
    let end = loop {
        match stream.blocking_read(1 << 16) {
            Ok(chunk) => bytes.extend(chunk),
            Err(wasip2::io::streams::StreamError::Closed) => break String::new(),
            Err(wasip2::io::streams::StreamError::LastOperationFailed(error)) => {
                break format!(" then {:?}", wasip2::http::types::http_error_code(&error));
            }
        }
    };
    let shown = if bytes.len() > 1000 { format!("{} bytes", bytes.len()) } else { String::from_utf8(bytes).unwrap() };
    format!("{} {shown}{end}", response.status())
}
