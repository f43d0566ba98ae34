//! Where a request goes: `scheme://host:port`, in the one form that grants are compared in.

use url::{Host, Url};

/// `https://Example.com` as operators write it: `https://example.com:443`.
pub fn normal_origin(text: &str) -> Result<String, InvalidOrigin> {
    let invalid = |problem: &str| InvalidOrigin { text: abridged(text), problem: problem.to_owned() };
    let url = parse_url(text).map_err(|problem| invalid(&problem))?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("an origin ends after the port; paths cannot be granted one by one"));
    }
    if url.host_str().is_some_and(|host| host.contains('*')) {
        return Err(invalid("there are no wildcards; grant each host"));
    }
    Ok(origin(&url))
}

/// The origin a request to this URL needs among its grants.
pub fn origin_of_url(text: &str) -> Result<String, InvalidOrigin> {
    let url = parse_url(text).map_err(|problem| InvalidOrigin { text: abridged(text), problem })?;
    Ok(origin(&url))
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` has no usable origin: {problem}")]
pub struct InvalidOrigin {
    /// Shortened, and without control characters: it may be a stranger's.
    pub text: String,
    pub problem: String,
}

/// An absolute http or https URL that names nobody, or what is wrong with it.
pub fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; expected `https://host:port`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("scheme `{}`; only http and https are possible", abridged(url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or password in the URL; send a header instead".to_owned());
    }
    Ok(url)
}

pub fn origin(url: &Url) -> String {
    let host = url.host_str().expect("http and https URLs have a host");
    let port = url.port_or_known_default().expect("http and https have default ports");
    format!("{}://{host}:{port}", url.scheme())
}

/// An origin whose host is a loopback, private or link-local address by its very name: only a grant that says so leads there.
pub fn is_private(origin: &str) -> bool {
    match Url::parse(origin).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn abridged(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_by_sight() {
        for private in
            ["http://127.0.0.1:1", "http://localhost", "http://[::1]:9", "http://10.1.2.3", "http://[fd00::1]"]
        {
            assert!(is_private(private), "{private}");
        }
        assert!(!["https://a.example", "http://1.1.1.1", "nothing"].into_iter().any(is_private));
    }

    #[test]
    fn an_origin_has_one_form() {
        for (typed, normal) in [
            ("https://Example.com", "https://example.com:443"),
            ("https://example.com/", "https://example.com:443"),
            ("HTTP://example.com:8080", "http://example.com:8080"),
            ("http://0x7f.1", "http://127.0.0.1:80"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("https://bücher.example", "https://xn--bcher-kva.example:443"),
        ] {
            assert_eq!(normal_origin(typed).as_deref(), Ok(normal));
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for typed in [
            "",
            "example.com",
            "example.com:443",
            "ftp://example.com",
            "https://example.com/path",
            "https://example.com?query",
            "https://user@example.com",
            "https://*.example.com",
            "https://example.com:99999",
            "https://",
        ] {
            assert!(normal_origin(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_url_shows_the_origin_it_really_goes_to() {
        assert_eq!(origin_of_url("https://a.example/x?y#z").as_deref(), Ok("https://a.example:443"));
        assert_eq!(origin_of_url("https://a.example\\@b.example/").as_deref(), Ok("https://a.example:443"));
        assert_eq!(origin_of_url("HTTPS://Example.com/a?b").as_deref(), Ok("https://example.com:443"));
        assert_eq!(origin_of_url("http://[::1]").as_deref(), Ok("http://[::1]:80"));
        for bad in ["https://a.example@b.example/", "ftp://a", "/path", "http://", "http://a:99999/"] {
            assert!(origin_of_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_stranger_typed_is_shown_short_and_harmless() {
        let shown = normal_origin(&format!("\x1b[2J{}", "x".repeat(10_000))).unwrap_err().to_string();
        assert!(shown.len() < 400 && !shown.contains('\x1b'), "{shown}");
    }
}
