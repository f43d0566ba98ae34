//! The few requests of the OCI distribution API that push and pull one component.
//!
//! By hand, and not with a crate: those that there are read manifests, tokens and errors of any length into memory.

use bytes::Bytes;
use http_auth::parse_challenges;
use lockgate_core::definition::listed;
use lockgate_core::digest::Digest;
use lockgate_core::trust::Signature;
use lockgate_sandbox::Surface;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use super::ElsewhereError;
use super::artifact::{self, Descriptor, MANIFEST_TYPE, Packed};
use super::credentials::Credentials;
use super::reference::Reference;
use super::web::{PlainHttp, Progress, Web, body, is_private, said, shown, succeeded};

/// The specification lets registries refuse larger ones; that of a component has less than 1 KiB.
const MANIFEST_BYTES: u64 = 4 << 20;
const TOKEN_BYTES: u64 = 256 << 10;
const TAGS_BYTES: u64 = 256 << 10;
const CONTENT_DIGEST: &str = "docker-content-digest";

pub struct Registry {
    web: Web,
    reference: Reference,
    base: Url,
    credentials: Credentials,
    authorization: Option<HeaderValue>,
}

pub struct Pulled {
    pub component: Vec<u8>,
    pub signature: Option<Signature>,
    /// What was asked for, with the digest of its manifest.
    pub reference: Reference,
}

/// What a registry asks for with 401.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

impl Registry {
    /// TLS, unless plain HTTP may go anywhere: a reference has no scheme that would say which is meant.
    pub fn of(reference: Reference, credentials: Credentials, plain: PlainHttp) -> Result<Self, ElsewhereError> {
        let scheme = if plain == PlainHttp::Anywhere { "http" } else { "https" };
        let base = reference.base(scheme).expect("a reference was parsed as a URL");
        Ok(Self { web: Web::new(plain)?, reference, base, credentials, authorization: None })
    }

    pub async fn pull(&mut self, progress: Progress<'_>) -> Result<Pulled, ElsewhereError> {
        let (manifest, digest) = self.manifest().await?;
        let reference = self.reference.at(digest);
        let not_a_component = |why| ElsewhereError::NotAComponent { reference: reference.to_string(), why };
        let (layer, signature) = artifact::unpack(&manifest).map_err(not_a_component)?;
        let component = self.blob(&layer, progress).await?;
        Ok(Pulled { component, signature, reference })
    }

    /// The component first, the manifest that names it last: whoever pulls meanwhile finds all of it or none. Gives the
    /// reference with the digest of the manifest.
    pub async fn push(
        &mut self,
        component: Vec<u8>,
        surface: &Surface,
        signature: Option<&Signature>,
    ) -> Result<Reference, ElsewhereError> {
        let Packed { manifest, config } = artifact::pack(&component, surface, signature);
        self.upload(component.into()).await?;
        self.upload(config.into()).await?;
        let digest = Digest::of(&manifest);
        let place = self.reference.tag.clone().unwrap_or_else(|| digest.to_string());
        let url = self.at(&["manifests", &place]);
        let put =
            |http: &reqwest::Client| http.put(url.clone()).header(CONTENT_TYPE, MANIFEST_TYPE).body(manifest.clone());
        let response = succeeded(self.send(&url, put).await?).await?;
        check_header(response.headers(), &self.reference, digest)?;
        Ok(self.reference.at(digest))
    }

    /// What a tag stands for is the digest of what it brings, whatever it brings the next time.
    async fn manifest(&mut self) -> Result<(Vec<u8>, Digest), ElsewhereError> {
        let Reference { tag, digest, .. } = self.reference.clone();
        let place = digest.map(|digest| digest.to_string()).or(tag).unwrap_or_default();
        let url = self.at(&["manifests", &place]);
        let response = self.send(&url, |http| http.get(url.clone()).header(ACCEPT, MANIFEST_TYPE)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            let known = self.known_tags().await;
            return Err(ElsewhereError::Unknown { reference: self.reference.to_string(), known });
        }
        let response = succeeded(response).await?;
        let headers = response.headers().clone();
        let manifest = body(response, MANIFEST_BYTES, &|_, _| ()).await?;
        let found = Digest::of(&manifest);
        check(&self.reference, digest.unwrap_or(found), found)?;
        check_header(&headers, &self.reference, found)?;
        Ok((manifest, found))
    }

    async fn blob(&mut self, layer: &Descriptor, progress: Progress<'_>) -> Result<Vec<u8>, ElsewhereError> {
        let url = self.at(&["blobs", &layer.digest.to_string()]);
        let response = succeeded(self.send(&url, |http| http.get(url.clone())).await?).await?;
        let total = layer.size;
        let content = body(response, layer.size, &|read, _| progress(read, Some(total))).await?;
        check(&self.reference, layer.digest, Digest::of(&content))?;
        Ok(content)
    }

    /// Unless it is there.
    async fn upload(&mut self, content: Bytes) -> Result<(), ElsewhereError> {
        let digest = Digest::of(&content).to_string();
        let blob = self.at(&["blobs", &digest]);
        if self.send(&blob, |http| http.head(blob.clone())).await?.status().is_success() {
            return Ok(());
        }
        let uploads = self.at(&["blobs", "uploads", ""]);
        let begun = succeeded(self.send(&uploads, |http| http.post(uploads.clone()).body("")).await?).await?;
        let mut place = self.place_of(&begun)?;
        place.query_pairs_mut().append_pair("digest", &digest);
        let put = |http: &reqwest::Client| {
            http.request(Method::PUT, place.clone())
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(content.clone())
        };
        succeeded(self.send(&place, put).await?).await?;
        Ok(())
    }

    fn place_of(&self, begun: &Response) -> Result<Url, ElsewhereError> {
        let place = begun.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| begun.url().join(place).ok());
        place.ok_or_else(|| ElsewhereError::Unexpected {
            from: shown(begun.url()).to_string(),
            what: "it takes an upload, and does not say where".to_owned(),
        })
    }

    /// For whoever has mistyped one. What cannot be had is left out.
    async fn known_tags(&mut self) -> String {
        let url = self.at(&["tags", "list"]);
        let tags = async {
            let response = succeeded(self.send(&url, |http| http.get(url.clone())).await.ok()?).await.ok()?;
            let content = body(response, TAGS_BYTES, &|_, _| ()).await.ok()?;
            serde_json::from_slice::<Tags>(&content).ok()?.tags
        };
        match tags.await {
            Some(tags) => format!("the tags there are: {}", listed(tags)),
            None => "the registry names no tags of it".to_owned(),
        }
    }

    fn at(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    // ---- who asks ----

    /// Any answer but 401, which is answered with credentials once.
    async fn send(
        &mut self,
        url: &Url,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, ElsewhereError> {
        let response = self.send_once(url, &request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return self.allowed(response).await;
        }
        // Who is somewhere else, after a redirect or for an upload, is not told who asks.
        if response.url().origin() != self.base.origin() {
            return self.allowed(response).await;
        }
        // Also where there is a token: one for pulling does not push.
        self.authorization = Some(self.authorize(response.headers()).await?);
        let response = self.send_once(url, &request).await?;
        self.allowed(response).await
    }

    async fn send_once(
        &self,
        url: &Url,
        request: &impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, ElsewhereError> {
        let request = request(&self.web.http);
        // An upload may go to a store elsewhere, which has nothing to do with these credentials.
        let request = match &self.authorization {
            Some(authorization) if url.origin() == self.base.origin() => request.header(AUTHORIZATION, authorization),
            Some(_) | None => request,
        };
        self.web.send(url, request).await
    }

    async fn allowed(&self, response: Response) -> Result<Response, ElsewhereError> {
        let status = response.status();
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(response);
        }
        Err(self.not_allowed(said(response).await))
    }

    fn not_allowed(&self, said: String) -> ElsewhereError {
        let registry = self.reference.registry.clone();
        ElsewhereError::NotAllowed { registry, who: self.credentials.who(), said }
    }

    async fn authorize(&self, headers: &HeaderMap) -> Result<HeaderValue, ElsewhereError> {
        let text = headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let not_understood = || ElsewhereError::Challenge {
            registry: self.reference.registry.clone(),
            challenge: text.chars().take(200).collect(),
        };
        match challenge(text).ok_or_else(not_understood)? {
            Challenge::Basic => match &self.credentials {
                Credentials::Password { user, password } => {
                    self.check_private(&self.base)?;
                    self.header(basic(user, password))
                }
                Credentials::Nobody | Credentials::IdentityToken(_) => Err(self.not_allowed(String::new())),
            },
            Challenge::Bearer { realm, service, scope } => {
                let realm: Url = realm.parse().map_err(|_| not_understood())?;
                // What was bought with a password is as good as one.
                if !matches!(self.credentials, Credentials::Nobody) {
                    self.check_private(&self.base)?;
                }
                self.header(format!("Bearer {}", self.token(realm, service, scope).await?))
            }
        }
    }

    async fn token(
        &self,
        realm: Url,
        service: Option<String>,
        scope: Option<String>,
    ) -> Result<String, ElsewhereError> {
        let asked = [("service", service), ("scope", scope)];
        let asked: Vec<(&str, String)> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let request = match &self.credentials {
            Credentials::Nobody => self.web.http.get(realm.clone()).query(&asked),
            Credentials::Password { user, password } => {
                self.check_private(&realm)?;
                self.web
                    .http
                    .get(realm.clone())
                    .query(&asked)
                    .header(AUTHORIZATION, self.header(basic(user, password))?)
            }
            Credentials::IdentityToken(token) => {
                self.check_private(&realm)?;
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token").append_pair("client_id", "lockgate");
                form.append_pair("refresh_token", token).extend_pairs(&asked);
                let post = self.web.http.post(realm.clone());
                post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
            }
        };
        let response = self.allowed(self.web.send(&realm, request).await?).await?;
        let content = body(succeeded(response).await?, TOKEN_BYTES, &|_, _| ()).await?;
        // Its text is a secret: of a mistake in it only the place is said.
        let token: Token = serde_json::from_slice(&content).map_err(|error| ElsewhereError::Unexpected {
            from: shown(&realm).to_string(),
            what: format!("its token cannot be read at column {}", error.column()),
        })?;
        Ok(token.token)
    }

    fn check_private(&self, url: &Url) -> Result<(), ElsewhereError> {
        if is_private(url) { Ok(()) } else { Err(ElsewhereError::CredentialsInClear { url: shown(url) }) }
    }

    fn header(&self, text: String) -> Result<HeaderValue, ElsewhereError> {
        let mut value = HeaderValue::try_from(text).map_err(|_| ElsewhereError::Credentials {
            registry: self.reference.registry.clone(),
            cause: "they hold what no header can, such as a line break".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// The first that is understood.
fn challenge(text: &str) -> Option<Challenge> {
    let challenges = parse_challenges(text).ok()?;
    let mut understood = challenges.iter().filter_map(|challenge| {
        let parameter = |name: &str| {
            let found = challenge.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        match challenge.scheme.to_ascii_lowercase().as_str() {
            "basic" => Some(Challenge::Basic),
            "bearer" => {
                let (service, scope) = (parameter("service"), parameter("scope"));
                Some(Challenge::Bearer { realm: parameter("realm")?, service, scope })
            }
            _ => None,
        }
    });
    understood.next()
}

fn check(from: &Reference, expected: Digest, found: Digest) -> Result<(), ElsewhereError> {
    if expected == found {
        return Ok(());
    }
    Err(ElsewhereError::OtherBytes { from: from.to_string(), expected, found })
}

/// Where a registry says what it sent or took, it is that.
fn check_header(headers: &HeaderMap, from: &Reference, found: Digest) -> Result<(), ElsewhereError> {
    let said = headers.get(CONTENT_DIGEST).and_then(|value| value.to_str().ok()?.parse().ok());
    check(from, said.unwrap_or(found), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_asks_for_is_read() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        let table = [
            (r#"Basic realm="basic-realm""#, Some(Challenge::Basic)),
            (
                r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
                Some(bearer("https://auth.example/token", Some("registry.example"), Some("repository:a/b:pull,push"))),
            ),
            (r#"Digest realm="x", bearer realm="https://a""#, Some(bearer("https://a", None, None))),
            (r#"Bearer service="x""#, None),
            ("Negotiate", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(challenge(text), expected, "{text}");
        }
    }
}
