//! YAML text as a tree that knows where each of its values stands.
//!
//! What is read is JSON in YAML's clothes: one document whose keys are text and whose values stand where they are
//! written. Anchors, aliases and tags are refused. The parser's events are pulled one by one, because a loader that
//! calls itself for each level overflows the stack on a line of `- - - -`, and that would end the whole host.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use super::check::About;
use super::{Mistake, quoted};

const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 50_000;
const MAX_KEY_CHARS: usize = 200;
/// Each holds its path: thousands of them, deep down, would fill the memory.
const MAX_MISTAKES: usize = 1000;

/// Both count from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

#[derive(Debug)]
pub struct Node {
    /// Of the key before the value, where there is one.
    key: Option<Place>,
    value: Place,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Written without quotes, so it may be a number, `true` or nothing.
    Plain(String),
    Text(String),
    List(Vec<Node>),
    Mapping(BTreeMap<String, Node>),
    /// An alias, or something with a tag or an anchor: already a mistake, and nothing more is said of it.
    Refused,
}

/// The tree, unless the text is not YAML at all or is too big; and every mistake so far.
/// `empty` is what is said where there is nothing.
pub fn read(text: &str, empty: &str) -> (Option<Node>, Vec<Mistake>) {
    let mut composer = Composer::default();
    let tree = match composer.compose(text, empty) {
        Ok(()) => composer.tree,
        Err(mistake) => {
            composer.mistakes.push(mistake);
            None
        }
    };
    (tree, composer.mistakes)
}

impl Node {
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Plain(text) => resolve(text).unwrap_or_default(),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Node::to_json).collect(),
            Content::Mapping(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), node.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            Content::Refused => Value::Null,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(&self.content, Content::Plain(text) if text.is_empty())
    }

    pub fn is_refused(&self) -> bool {
        matches!(self.content, Content::Refused)
    }

    /// The value of one line as it was typed, whatever YAML makes of it.
    pub fn as_written(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) | Content::Text(text) => Some(text),
            Content::List(_) | Content::Mapping(_) | Content::Refused => None,
        }
    }

    /// Nothing, unless this is a mapping.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        let entries = match &self.content {
            Content::Mapping(entries) => Some(entries),
            Content::Plain(_) | Content::Text(_) | Content::List(_) | Content::Refused => None,
        };
        entries.into_iter().flatten().map(|(key, node)| (key.as_str(), node))
    }

    pub fn get(&self, token: &str) -> Option<&Node> {
        match &self.content {
            Content::List(items) => items.get(token.parse::<usize>().ok()?),
            Content::Mapping(entries) => entries.get(token),
            Content::Plain(_) | Content::Text(_) | Content::Refused => None,
        }
    }

    /// The node a JSON pointer names, or the last one on the way to it.
    pub fn nearest(&self, pointer: &str) -> &Node {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            match node.get(&token.replace("~1", "/").replace("~0", "~")) {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// Where an editor should jump: the value, or the key when the value only begins on a later line.
    pub fn place(&self) -> Place {
        match self.key {
            Some(key) if key.line != self.value.line => key,
            Some(_) | None => self.value,
        }
    }

    pub fn place_of(&self, about: About) -> Place {
        match about {
            About::Key => self.key_place(),
            About::Value => self.place(),
        }
    }

    pub fn key_place(&self) -> Place {
        self.key.unwrap_or(self.value)
    }
}

/// One token of a JSON pointer.
pub fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// The collections that are open, outermost first.
#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    nodes: usize,
    tree: Option<Node>,
    mistakes: Vec<Mistake>,
}

struct Open {
    value: Place,
    refused: bool,
    collected: Collected,
}

enum Collected {
    List(Vec<Node>),
    Mapping { entries: BTreeMap<String, Node>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    place: Place,
    /// `None`: the key was a mistake, and its value goes with it.
    name: Option<String>,
}

impl Composer {
    /// An error ends the reading; any other mistake is collected.
    fn compose(&mut self, text: &str, empty: &str) -> Result<(), Mistake> {
        let start = Place { line: 1, column: 1 };
        if text.len() > MAX_BYTES {
            return Err(Mistake::new(start, "", "the file is larger than 1 MiB"));
        }
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                let message = format!("this is not YAML: {}", error.info());
                Mistake::new(Place::from(*error.marker()), "", message)
            })?;
            let place = Place::from(span.start);
            match event {
                Event::DocumentStart(_) if self.tree.is_some() => {
                    self.refuse(place, "a second document begins here; the file is one document");
                    break;
                }
                Event::Alias(_) => self.add_refused(place, Anchored::Alias)?,
                Event::Scalar(text, style, anchor, tag) => match anchored(anchor, tag.is_some()) {
                    Some(why) => self.add_refused(place, why)?,
                    None => self.add_scalar(place, text.into_owned(), style)?,
                },
                Event::SequenceStart(anchor, tag) => {
                    self.open(place, anchored(anchor, tag.is_some()), Collected::List(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    let collected = Collected::Mapping { entries: BTreeMap::new(), key: None };
                    self.open(place, anchored(anchor, tag.is_some()), collected)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
        match &self.tree {
            Some(tree) if !tree.is_empty() => Ok(()),
            Some(_) | None => Err(Mistake::new(start, "", empty)),
        }
    }

    fn add_scalar(&mut self, place: Place, text: String, style: ScalarStyle) -> Result<(), Mistake> {
        let content = match style {
            ScalarStyle::Plain if resolve(&text).is_none() => {
                self.refuse(place, format!("{} is a number that JSON cannot hold; put it in quotes", quoted(&text)));
                Content::Refused
            }
            ScalarStyle::Plain => Content::Plain(text),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
                Content::Text(text)
            }
        };
        self.add(place, content)
    }

    fn add_refused(&mut self, place: Place, why: Anchored) -> Result<(), Mistake> {
        self.refuse(place, why.message());
        self.add(place, Content::Refused)
    }

    fn open(&mut self, value: Place, anchored: Option<Anchored>, collected: Collected) -> Result<(), Mistake> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Mistake::new(value, self.pointer(), format!("nested more than {MAX_DEPTH} levels deep")));
        }
        if let Some(why) = anchored {
            self.refuse(value, why.message());
        }
        self.open.push(Open { value, refused: anchored.is_some(), collected });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Mistake> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        let content = match closed.collected {
            Collected::List(_) | Collected::Mapping { .. } if closed.refused => Content::Refused,
            Collected::List(items) => Content::List(items),
            Collected::Mapping { entries, .. } => Content::Mapping(entries),
        };
        self.add(closed.value, content)
    }

    /// Adds what is complete to the collection around it: as an item, a key or a value.
    fn add(&mut self, value: Place, content: Content) -> Result<(), Mistake> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Mistake::new(value, self.pointer(), format!("the file has more than {MAX_NODES} values")));
        }
        match self.open.last_mut().map(|open| &mut open.collected) {
            None => self.tree = Some(Node { key: None, value, content }),
            Some(Collected::List(items)) => items.push(Node { key: None, value, content }),
            Some(Collected::Mapping { entries, key: waiting @ Some(_) }) => {
                if let Some(Key { place, name: Some(name) }) = waiting.take() {
                    entries.insert(name, Node { key: Some(place), value, content });
                }
            }
            Some(Collected::Mapping { entries, key }) => {
                let name = key_name(content, entries);
                let (name, problem) = match name {
                    Ok(name) => (Some(name), None),
                    Err(problem) => (None, problem),
                };
                *key = Some(Key { place: value, name });
                if let Some(problem) = problem {
                    self.refuse(value, problem);
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, place: Place, message: impl AsRef<str>) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(Mistake::new(place, self.pointer(), message));
        }
    }

    /// The JSON pointer of what is being read.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for open in &self.open {
            match &open.collected {
                Collected::List(items) => pointer.push_str(&format!("/{}", items.len())),
                Collected::Mapping { key: Some(Key { name: Some(name), .. }), .. } => {
                    pointer.push_str(&format!("/{}", escaped(name)));
                }
                Collected::Mapping { .. } => break,
            }
        }
        pointer
    }
}

/// The error is empty where the mistake is already known.
fn key_name(content: Content, entries: &BTreeMap<String, Node>) -> Result<String, Option<String>> {
    let name = match content {
        Content::Plain(text) if resolve(&text).is_some_and(|value| !value.is_string()) => {
            return Err(Some(format!("a key is text: put {} in quotes", quoted(&text))));
        }
        Content::Plain(text) | Content::Text(text) => text,
        Content::List(_) => return Err(Some("a key is text, not a list".to_owned())),
        Content::Mapping(_) => return Err(Some("a key is text, not a mapping".to_owned())),
        Content::Refused => return Err(None),
    };
    if name.chars().count() > MAX_KEY_CHARS {
        return Err(Some(format!("a key has at most {MAX_KEY_CHARS} characters")));
    }
    if let Some(first) = entries.get(&name) {
        let Place { line, column } = first.key_place();
        return Err(Some(format!(
            "the key {} is here a second time; the first is at line {line}, column {column}",
            quoted(&name)
        )));
    }
    Ok(name)
}

#[derive(Debug, Clone, Copy)]
enum Anchored {
    Anchor,
    Alias,
    Tag,
}

/// Anchors count from 1.
fn anchored(anchor: usize, tagged: bool) -> Option<Anchored> {
    match (anchor, tagged) {
        (1.., _) => Some(Anchored::Anchor),
        (0, true) => Some(Anchored::Tag),
        (0, false) => None,
    }
}

impl Anchored {
    fn message(self) -> &'static str {
        match self {
            Self::Anchor => "an anchor (`&name`) is not supported; write the value where it is needed",
            Self::Alias => "an alias (`*name`) is not supported; write the value here",
            Self::Tag => "a tag (`!name`) is not supported; quotes make a value text",
        }
    }
}

/// What an unquoted scalar means in YAML 1.2's core schema: `yes` and `on` are text. `None`: a number out of reach.
fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ if is_not_finite(text) => None,
        _ => match number(text) {
            Some(number) => number.map(Value::Number),
            None => Some(Value::String(text.to_owned())),
        },
    }
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `None`: not a number; `Some(None)`: a number that JSON cannot hold.
fn number(text: &str) -> Option<Option<Number>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return Some(u64::from_str_radix(digits, radix).ok().map(Number::from));
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
        return None;
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return Some(whole.ok());
    }
    text.parse::<f64>().ok().map(Number::from_f64)
}
