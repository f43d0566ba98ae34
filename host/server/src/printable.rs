//! Text of others, made safe to show.

/// A terminal must not obey what a plugin, a file or another user wrote, and nobody must read something else than what
/// is there. A tab becomes a space, so that it moves nothing that is aligned.
pub fn printable(text: &str) -> String {
    text.chars().map(printable_char).collect()
}

pub fn printable_char(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() || is_unseen(c) => '\u{fffd}',
        c => c,
    }
}

/// Format characters (Unicode's class Cf) and separators of lines: they change the order, the breaks or the look of
/// what is around them.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_there() {
        assert_eq!(printable("a\tb\u{1b}[2J\n"), "a b\u{fffd}[2J\u{fffd}");
        assert_eq!(printable("x\u{202e}y\u{2066}\u{200b}\u{feff}"), "x\u{fffd}y\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(printable("żółć → ✓ 安"), "żółć → ✓ 安");
    }
}
