//! Which arguments a tool may be given: vectors of items, each of which one argument must fit as a whole.
//!
//! An item is a literal, `{regex}`, or as the last one `{regex}...` for any number of arguments that all fit. There is no
//! way to be allowed half an argument, and nothing that a shell would understand.

use regex::bytes::{Regex, RegexBuilder};

/// Compiled, a pattern takes no more than this. Matching is linear in the argument, whatever the pattern.
const PATTERN_BYTES: usize = 1 << 20;

/// One list of items.
#[derive(Debug)]
pub struct Vector {
    items: Vec<Item>,
    /// For all further arguments.
    rest: Option<Regex>,
}

#[derive(Debug)]
enum Item {
    Literal(String),
    Pattern(Regex),
}

impl Vector {
    pub fn parse(items: &[String]) -> Result<Self, String> {
        let (mut parsed, mut rest) = (Vec::new(), None);
        for (place, item) in items.iter().enumerate() {
            let is_last = place + 1 == items.len();
            match item.strip_prefix('{').map(|inner| (inner.strip_suffix("}..."), inner.strip_suffix('}'))) {
                None => parsed.push(Item::Literal(literal(item)?)),
                Some((Some(inner), _)) if is_last => rest = Some(pattern(inner)?),
                Some((Some(_), _)) => return Err(format!("`{item}` stands for the rest, and is not the last item")),
                Some((None, Some(inner))) => parsed.push(Item::Pattern(pattern(inner)?)),
                Some((None, None)) => {
                    return Err(format!(
                        "`{item}` begins with `{{` and does not end with `}}` or `}}...`; `{{\\{{...}}` matches a brace"
                    ));
                }
            }
        }
        Ok(Self { items: parsed, rest })
    }

    pub fn fits(&self, arguments: &[String]) -> bool {
        let Some((first, more)) = arguments.split_at_checked(self.items.len()) else { return false };
        let first_fit = self.items.iter().zip(first).all(|(item, argument)| item.fits(argument));
        let more_fit = || match &self.rest {
            Some(pattern) => more.iter().all(|argument| pattern.is_match(argument.as_bytes())),
            None => more.is_empty(),
        };
        first_fit && more_fit()
    }
}

impl Item {
    fn fits(&self, argument: &str) -> bool {
        match self {
            Item::Literal(literal) => literal == argument,
            Item::Pattern(pattern) => pattern.is_match(argument.as_bytes()),
        }
    }
}

/// No program can be given it.
fn literal(item: &str) -> Result<String, String> {
    if item.contains('\0') {
        return Err(format!("`{}` has a NUL", item.escape_debug()));
    }
    Ok(item.to_owned())
}

/// ASCII only: what `\d` is should not depend on Unicode's tables. `.` is no line end.
fn pattern(inner: &str) -> Result<Regex, String> {
    let build = |text: &str| {
        RegexBuilder::new(text)
            .unicode(false)
            .size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| format!("`{{{inner}}}` is no pattern: {error}"))
    };
    // By itself first: an unmatched `)` would close the group around it.
    build(inner)?;
    build(&format!(r"\A(?:{inner})\z"))
}

/// What is wrong with the vectors of a grant.
pub fn check(vectors: &[Vec<String>]) -> Result<(), String> {
    vectors.iter().try_for_each(|items| Vector::parse(items).map(drop))
}

/// Whether any of the vectors takes these arguments. One that does not parse takes none.
pub fn fit(vectors: &[Vec<String>], arguments: &[String]) -> bool {
    vectors.iter().filter_map(|items| Vector::parse(items).ok()).any(|vector| vector.fits(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn arguments_fit_item_by_item_and_as_a_whole() {
        let table: &[(&[&str], &[&str], bool)] = &[
            (&[], &[], true),
            (&[], &["x"], false),
            (&["apply"], &["apply"], true),
            (&["apply"], &["apply", "-f"], false),
            (&["apply"], &[], false),
            (&["apply"], &["Apply"], false),
            (&["apply"], &["apply\n"], false),
            (&["a.c"], &["abc"], false),
            (&["{a.c}"], &["abc"], true),
            (&["{a.c}"], &["xabcx"], false),
            (&["{a.c}"], &["a\nc"], false),
            (&["{a|ab}"], &["ab"], true),
            (&["{a|b}c"], &["ac"], false),
            (&["{[a-z]+}"], &["abc\n"], false),
            (&["{[a-z]+}"], &[""], false),
            (&["{[a-z]*}"], &[""], true),
            (&["{(?m)[a-z]+$}"], &["abc\nrm"], false),
            (&["{(?s).*}"], &["any\nthing"], true),
            (&[r"{\d+}"], &["12"], true),
            (&[r"{\d+}"], &["\u{0661}\u{0662}"], false),
            (&["{v[0-9]{1,3}}"], &["v123"], true),
            (&["{v[0-9]{1,3}}"], &["v1234"], false),
            (&[r"{\{x\}}"], &["{x}"], true),
            (&["a{b}"], &["a{b}"], true),
            (&["a{b}"], &["ab"], false),
            (&["--", "{[a-z]+}..."], &["--"], true),
            (&["--", "{[a-z]+}..."], &["--", "a", "b"], true),
            (&["--", "{[a-z]+}..."], &["--", "a", "-b"], false),
            (&["{[a-z]+}..."], &["a", ""], false),
            (&["...", "x"], &["...", "x"], true),
        ];
        for (items, arguments, expected) in table {
            let fits = fit(&[words(items)], &words(arguments));
            assert_eq!(fits, *expected, "{items:?} and {arguments:?}");
        }
    }

    #[test]
    fn one_of_several_vectors_is_enough_and_none_takes_nothing() {
        let vectors = [words(&["get", "{[a-z]+}"]), words(&["version"])];
        assert!(fit(&vectors, &words(&["version"])) && fit(&vectors, &words(&["get", "pods"])));
        assert!(!fit(&vectors, &words(&["get", "version", "x"])));
        assert!(!fit(&[], &[]));
    }

    #[test]
    fn what_is_no_pattern_is_refused_and_takes_nothing() {
        let huge = format!("{{{}}}", "(a{1,100}){1,100}".repeat(20));
        for wrong in ["{", "{a", "{a}..", "{[}", "{a)|(b}", "{(?x)a #}", "a\0", huge.as_str()] {
            assert!(check(&[words(&[wrong])]).is_err(), "{wrong}");
            for argument in ["a", "b", "", wrong] {
                assert!(!fit(&[words(&[wrong])], &words(&[argument])), "{wrong}");
            }
        }
        assert!(check(&[words(&["{a}...", "b"])]).unwrap_err().ends_with("is not the last item"));
    }
}
