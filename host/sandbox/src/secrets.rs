//! What a call has of secrets: placeholders that leave it as values, and values that no text of it may show.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::ask::Reply;
use crate::call::{Answer, CallError};

/// Stands where a value was, in all that people read.
const MASK: &str = "(secret)";
/// What is shorter stands in too many texts that have nothing to do with it.
const SHORTEST_MASKED: usize = 4;

/// A secret's value. It shows itself to nobody, and is wiped when it is let go.
#[derive(Clone)]
pub struct SecretValue(Arc<Zeroizing<Vec<u8>>>);

impl SecretValue {
    pub fn new(value: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(value))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(hidden)")
    }
}

/// One that a call may use.
#[derive(Debug, Clone)]
pub struct Secret {
    pub name: String,
    pub value: SecretValue,
    /// Where it may travel, in their normal form.
    pub origins: BTreeSet<String>,
    /// And in which headers, in small letters: what a server keeps and shows, such as the name of a client, it never is in.
    pub headers: BTreeSet<String>,
}

/// The secrets of one call that it has asked for. Cheap to clone.
#[derive(Clone, Default)]
pub struct Purse(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    by_placeholder: BTreeMap<String, Secret>,
    /// By name, values that are in the guest's memory.
    revealed: BTreeMap<String, SecretValue>,
}

/// A secret that was sent to an origin, or in a header, that it is not bound to.
#[derive(Debug, PartialEq, Eq)]
pub enum Astray {
    Origin { secret: String },
    Header { secret: String, header: String },
}

impl Purse {
    /// What a guest gets in the place of the value: nothing of it can be guessed.
    pub fn take(&self, secret: Secret, placeholder: String) -> String {
        let mut held = self.held();
        let known = held.by_placeholder.iter().find(|(_, known)| known.name == secret.name);
        if let Some((placeholder, _)) = known {
            return placeholder.clone();
        }
        held.by_placeholder.insert(placeholder.clone(), secret);
        placeholder
    }

    /// Whether it was not shown before.
    pub fn reveal(&self, secret: &Secret) -> bool {
        self.held().revealed.insert(secret.name.clone(), secret.value.clone()).is_none()
    }

    pub fn check(&self, headers: &HeaderMap, origin: &str) -> Result<(), Astray> {
        for (header, value) in headers {
            for secret in self.named_in(header, value) {
                if !secret.origins.contains(origin) {
                    return Err(Astray::Origin { secret: secret.name });
                }
                if !secret.headers.contains(header.as_str()) {
                    return Err(Astray::Header { secret: secret.name, header: header.to_string() });
                }
            }
        }
        Ok(())
    }

    /// For what comes back from where these secrets may have travelled, in this call or another.
    pub fn mask_of(&self, secrets: Vec<Secret>) -> Mask {
        let held = self.held();
        let mut mask = Mask::default();
        for secret in secrets {
            let placeholder = held.by_placeholder.iter().find(|(_, known)| known.name == secret.name);
            mask.add(secret.value, placeholder.map_or(MASK, |(placeholder, _)| placeholder));
        }
        mask
    }

    /// The headers as they leave the host. Checked before.
    pub fn filled(&self, mut headers: HeaderMap) -> Result<HeaderMap, String> {
        for (name, value) in &mut headers {
            let secrets = self.named_in(name, value);
            if secrets.is_empty() {
                continue;
            }
            let names: Vec<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
            let unfit =
                format!("secret `{}` cannot stand in a header: it holds a line break or the like", names.join("`, `"));
            *value = self.fill(name, value).ok_or(unfit)?;
            // Kept out of every log and table of the client.
            value.set_sensitive(true);
        }
        Ok(headers)
    }

    fn fill(&self, name: &HeaderName, value: &HeaderValue) -> Option<HeaderValue> {
        let plain = plain(name, value);
        let mut filled = Zeroizing::new(plain.text.to_vec());
        for (placeholder, secret) in &self.held().by_placeholder {
            if find(&filled, placeholder.as_bytes()).is_some() {
                filled = Zeroizing::new(replaced(&filled, placeholder.as_bytes(), secret.value.bytes()));
            }
        }
        match plain.is_basic {
            false => HeaderValue::from_bytes(&filled).ok(),
            true => {
                let encoded = Zeroizing::new(format!("{BASIC}{}", BASE64.encode(&filled)));
                HeaderValue::from_str(&encoded).ok()
            }
        }
    }

    fn named_in(&self, name: &HeaderName, value: &HeaderValue) -> Vec<Secret> {
        let held = self.held();
        if held.by_placeholder.is_empty() {
            return Vec::new();
        }
        let plain = plain(name, value);
        let is_named = |placeholder: &String| find(&plain.text, placeholder.as_bytes()).is_some();
        held.by_placeholder
            .iter()
            .filter(|(placeholder, _)| is_named(placeholder))
            .map(|(_, secret)| secret.clone())
            .collect()
    }

    /// What may not stand in anything that the call says.
    pub fn mask(&self) -> Mask {
        let mut mask = Mask::default();
        for value in self.held().revealed.values() {
            mask.add(value.clone(), MASK);
            // Who prints a key prints its lines.
            let lines = value.bytes().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            for line in lines.filter(|line| line.len() < value.bytes().len()) {
                mask.add(SecretValue::new(Zeroizing::new(line.to_vec())), MASK);
            }
        }
        mask
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BASIC: &str = "Basic ";

/// A header's text as its author meant it.
struct Plain<'a> {
    text: Cow<'a, [u8]>,
    is_basic: bool,
}

/// A user's name and password are encoded by the guest, placeholder and all.
fn plain<'a>(name: &HeaderName, value: &'a HeaderValue) -> Plain<'a> {
    let encoded = || {
        let (scheme, rest) = value.as_bytes().split_at_checked(BASIC.len())?;
        let is_basic = *name == AUTHORIZATION && scheme.eq_ignore_ascii_case(BASIC.as_bytes());
        is_basic.then(|| BASE64.decode(rest.trim_ascii()).ok()).flatten()
    };
    match encoded() {
        Some(text) => Plain { text: text.into(), is_basic: true },
        None => Plain { text: value.as_bytes().into(), is_basic: false },
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

fn replaced(text: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = find(rest, part) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by);
        rest = &rest[at + part.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Values that are taken out of a text, and what is put in their place.
#[derive(Clone, Default)]
pub struct Mask(Vec<(SecretValue, String)>);

impl Mask {
    fn add(&mut self, value: SecretValue, by: &str) {
        if value.bytes().len() >= SHORTEST_MASKED {
            self.0.push((value, by.to_owned()));
            // Of two, one may be a part of the other.
            self.0.sort_by_key(|(value, _)| std::cmp::Reverse(value.bytes().len()));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|(value, _)| find(bytes, value.bytes()).is_some())
    }

    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.0.iter().fold(Cow::Borrowed(bytes), |text, (value, by)| match find(&text, value.bytes()) {
            Some(_) => Cow::Owned(replaced(&text, value.bytes(), by.as_bytes())),
            None => text,
        })
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
        }
    }

    /// All texts within, keys too.
    pub fn within<T: Serialize + DeserializeOwned>(&self, value: T) -> serde_json::Result<T> {
        if self.is_empty() {
            return Ok(value);
        }
        serde_json::from_value(self.json(serde_json::to_value(value)?))
    }

    fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(entries) => {
                let masked = |(key, value): (String, Value)| (self.text(&key).into_owned(), self.json(value));
                Value::Object(entries.into_iter().map(masked).collect::<Map<_, _>>())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    pub fn header(&self, value: &HeaderValue) -> HeaderValue {
        match self.bytes(value.as_bytes()) {
            Cow::Borrowed(_) => value.clone(),
            // A placeholder is fit for a header.
            Cow::Owned(masked) => HeaderValue::from_bytes(&masked).unwrap_or_else(|_| HeaderValue::from_static(MASK)),
        }
    }
}

/// An answer without what was revealed to the guest. What the guest gets back as it is cannot be changed: it may not
/// hold any.
pub fn veiled(reply: Reply, mask: &Mask) -> Result<Reply, CallError> {
    if mask.is_empty() {
        return Ok(reply);
    }
    let kept = match &reply {
        Reply::Answer(Answer::Progressed(progressed)) => &progressed.cursor,
        Reply::Answer(Answer::Planned(step)) => &step.cursor,
        Reply::Answer(Answer::Sampled(sampled)) => &sampled.memo,
        Reply::Answer(Answer::Observed(_) | Answer::Judged(_)) | Reply::Description(_) | Reply::Issues(_) => {
            &Vec::new()
        }
    };
    if mask.is_in(kept) {
        return Err(CallError::KeptSecret);
    }
    let masked = match reply {
        Reply::Answer(Answer::Progressed(progressed)) => mask.within(progressed).map(Answer::Progressed),
        Reply::Answer(Answer::Planned(step)) => mask.within(step).map(Answer::Planned),
        Reply::Answer(Answer::Observed(states)) => mask.within(states).map(Answer::Observed),
        Reply::Answer(Answer::Sampled(sampled)) => mask.within(sampled).map(Answer::Sampled),
        Reply::Answer(Answer::Judged(verdict)) => mask.within(verdict).map(Answer::Judged),
        // They run without any grant.
        other @ (Reply::Description(_) | Reply::Issues(_)) => return Ok(other),
    };
    masked.map(Reply::Answer).map_err(nonsense)
}

pub fn veiled_error(error: CallError, mask: &Mask) -> CallError {
    match error {
        CallError::Failed(failure) => mask.within(failure).map_or_else(nonsense, CallError::Failed),
        CallError::InvalidAnswer { what, problem } => {
            CallError::InvalidAnswer { what: mask.text(&what).into_owned(), problem: mask.text(&problem).into_owned() }
        }
        other => other,
    }
}

/// Where a masked text was one of a fixed few, such as a digest.
fn nonsense(error: serde_json::Error) -> CallError {
    CallError::InvalidAnswer { what: "answer without the secret in it".to_owned(), problem: error.to_string() }
}

/// The same for what comes in pieces: a value may be cut by them anywhere.
pub struct MaskedStream {
    mask: Mask,
    /// As much as may be the beginning of a value: the same of every text, or its pieces would tell what a value begins
    /// with.
    held_back: BytesMut,
}

impl MaskedStream {
    pub fn new(mask: Mask) -> Self {
        Self { mask, held_back: BytesMut::new() }
    }

    /// What can be passed on now.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if self.mask.is_empty() {
            return piece;
        }
        self.held_back.extend_from_slice(&piece);
        let masked = self.mask.bytes(&self.held_back).into_owned();
        let stays = self.longest_beginning().min(masked.len());
        let (goes, stays) = masked.split_at(masked.len() - stays);
        let goes = Bytes::copy_from_slice(goes);
        self.held_back = BytesMut::from(stays);
        goes
    }

    /// What was held back, when nothing more comes.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held_back).freeze()
    }

    fn longest_beginning(&self) -> usize {
        self.mask.0.iter().map(|(value, _)| value.bytes().len() - 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, value: &str, origins: &[&str]) -> Secret {
        Secret {
            name: name.to_owned(),
            value: SecretValue::new(Zeroizing::new(value.as_bytes().to_vec())),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            headers: ["authorization".to_owned(), "x-key".to_owned()].into(),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn purse() -> Purse {
        let purse = Purse::default();
        assert_eq!(purse.take(secret("token", "s3cret-value", &["https://a:443"]), "{token}".to_owned()), "{token}");
        purse
    }

    #[test]
    fn a_placeholder_leaves_as_the_value_and_only_toward_where_it_is_bound() {
        let purse = purse();
        let sent = headers(&[("authorization", "Bearer {token}"), ("accept", "*/*")]);
        assert_eq!(purse.check(&sent, "https://a:443"), Ok(()));
        assert_eq!(purse.check(&sent, "https://b:443"), Err(Astray::Origin { secret: "token".to_owned() }));
        let filled = purse.filled(sent).unwrap();
        assert_eq!(filled["authorization"], "Bearer s3cret-value");
        assert!(filled["authorization"].is_sensitive() && !filled["accept"].is_sensitive());
        // What a server keeps and shows.
        let kept = purse.check(&headers(&[("user-agent", "{token}")]), "https://a:443").unwrap_err();
        assert_eq!(kept, Astray::Header { secret: "token".to_owned(), header: "user-agent".to_owned() });
        // Without a placeholder nothing is looked at.
        assert_eq!(purse.check(&headers(&[("accept", "*/*")]), "https://b:443"), Ok(()));
    }

    #[test]
    fn a_password_is_filled_in_where_a_guest_has_encoded_its_placeholder() {
        let purse = purse();
        let basic = |plain: &str| format!("basic {}", BASE64.encode(plain.as_bytes()));
        let sent = headers(&[("authorization", &basic("ann:{token}"))]);
        assert!(purse.check(&sent, "https://b:443").is_err());
        let filled = purse.filled(sent).unwrap();
        assert_eq!(filled["authorization"], format!("Basic {}", BASE64.encode(b"ann:s3cret-value")));
    }

    #[test]
    fn a_secret_that_no_header_can_carry_is_named_and_not_shown() {
        let purse = Purse::default();
        purse.take(secret("key", "two\nlines", &["https://a:443"]), "{key}".to_owned());
        let problem = purse.filled(headers(&[("x-key", "{key}")])).err().unwrap();
        assert!(problem.contains("`key`") && !problem.contains("lines"), "{problem}");
    }

    #[test]
    fn the_same_secret_has_the_same_placeholder_for_a_whole_call() {
        let purse = purse();
        assert_eq!(purse.take(secret("token", "s3cret-value", &[]), "{other}".to_owned()), "{token}");
    }

    #[test]
    fn no_text_shows_what_was_revealed() {
        let purse = Purse::default();
        for value in ["s3cret", "s3cret-longer", "abc"] {
            assert!(purse.reveal(&secret(value, value, &[])));
        }
        let mask = purse.mask();
        assert_eq!(mask.text("a s3cret-longer b s3cret c"), "a (secret) b (secret) c");
        assert_eq!(mask.text("abc"), "abc", "too short to be told from other text");
        let json = serde_json::json!({ "s3cret": ["x s3cret", 1], "b": { "c": "s3cret" } });
        assert_eq!(
            mask.within(json).unwrap(),
            serde_json::json!({ "(secret)": ["x (secret)", 1], "b": { "c": "(secret)" } })
        );
        assert!(mask.is_in(b"\0s3cret") && !mask.is_in(b"s3cre"));
    }

    #[test]
    fn a_value_that_comes_back_in_pieces_is_masked_wherever_it_is_cut() {
        let whole = b"head s3cret-value, s3cret-, s3cret-value tail s3";
        for cuts in [vec![1], vec![7], vec![3, 11], vec![5, 6], vec![47]] {
            let mut stream = MaskedStream::new(purse().mask_of(vec![secret("token", "s3cret-value", &[])]));
            let mut came = Vec::new();
            for (index, piece) in whole.chunks(cuts[0]).enumerate() {
                let inner = cuts.get(1).copied().unwrap_or(piece.len());
                for piece in if index % 2 == 0 { piece.chunks(inner) } else { piece.chunks(piece.len()) } {
                    came.extend_from_slice(&stream.push(Bytes::copy_from_slice(piece)));
                }
            }
            came.extend_from_slice(&stream.finish());
            assert_eq!(String::from_utf8(came).unwrap(), "head {token}, s3cret-, {token} tail s3", "{cuts:?}");
        }
    }

    /// Who could see where a text is cut could ask for the beginning of a value, letter by letter.
    #[test]
    fn pieces_are_cut_at_the_same_places_whatever_they_hold() {
        let cuts = |text: &'static str| {
            let mut stream = MaskedStream::new(purse().mask_of(vec![secret("token", "s3cret-value", &[])]));
            let first = stream.push(Bytes::from_static(text.as_bytes()));
            (first.len(), stream.finish().len())
        };
        assert_eq!(cuts("it ends in s3cr"), cuts("it ends in xxxx"));
    }

    #[test]
    fn what_another_call_sent_is_masked_too() {
        let mask = Purse::default().mask_of(vec![secret("token", "s3cret-value", &[])]);
        assert_eq!(mask.text("kept: s3cret-value"), "kept: (secret)");
    }
}
