//! A text cut into the words that no token crosses, as the vocabulary `o200k_base` was made for.

/// The words of a text, one after the other: nothing is left out.
///
/// They are cut as the pattern of `o200k_base` does, but for the rarest marks:
/// <https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py>
#[derive(Debug, Clone)]
pub(super) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// Of a text.
    #[must_use]
    pub(super) fn of(text: &'a str) -> Self {
        Self(text)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let first = self.0.chars().next()?;
        let length = letters(self.0)
            .or_else(|| digits(self.0))
            .or_else(|| signs(self.0))
            .or_else(|| spaces(self.0))
            .unwrap_or(first.len_utf8());
        let (word, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(word)
    }
}

/// How many bytes of a text, from its start, are such characters.
fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is(c)).unwrap_or(text.len())
}

fn behind(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// Letters, with one sign or space before them and one of English's endings behind.
///
/// Capitals stand only at the front: `getHTTPResponse` is `get` and `HTTPResponse`.
fn letters(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let before = match first {
        '\r' | '\n' => return None,
        c if is_letter(c) => 0,
        c if c.is_numeric() => return None,
        c => c.len_utf8(),
    };
    let word = behind(text, before);
    let capitals = run(word, |c| is_letter(c) && !c.is_lowercase());
    let small = run(behind(word, capitals), |c| is_letter(c) && !is_capital(c));
    let mut length = capitals + small;
    if length == 0 {
        return None;
    }
    if small == 0 {
        // Letters without case go as small ones, too: a word ends with the last of them.
        let run = word.get(..capitals)?;
        let last = run.char_indices().rfind(|(_, c)| !is_capital(*c));
        length = last.map_or(capitals, |(at, c)| at + c.len_utf8());
    }
    length += ending(behind(word, length));
    Some(before + length)
}

/// The length of `'s` and its like.
fn ending(text: &str) -> usize {
    const ENDINGS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    let fits = |ending: &&str| {
        let start = text.get(..ending.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(ending))
    };
    ENDINGS
        .iter()
        .find(|ending| fits(ending))
        .map_or(0, |ending| ending.len())
}

/// One to three digits.
fn digits(text: &str) -> Option<usize> {
    let digits = text.chars().take(3).take_while(|c| c.is_numeric());
    Some(digits.map(char::len_utf8).sum()).filter(|length| *length > 0)
}

/// Signs, with one space before them and line breaks or slashes behind.
fn signs(text: &str) -> Option<usize> {
    let before = usize::from(text.starts_with(' '));
    let signs = run(behind(text, before), |c| {
        !c.is_whitespace() && !is_plain_letter(c) && !c.is_numeric()
    });
    let length = before + signs;
    (signs > 0).then(|| length + run(behind(text, length), |c| matches!(c, '\r' | '\n' | '/')))
}

/// White space: up to its last line break, or all but the last before a word.
fn spaces(text: &str) -> Option<usize> {
    let length = run(text, char::is_whitespace);
    let space = text.get(..length).filter(|space| !space.is_empty())?;
    if let Some(last) = space.rfind(['\r', '\n']) {
        return Some(last + 1);
    }
    let last = space.chars().next_back()?.len_utf8();
    let ends = length == text.len();
    Some(if ends || length == last {
        length
    } else {
        length - last
    })
}

fn is_plain_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric() && !is_mark(c)
}

fn is_letter(c: char) -> bool {
    (c.is_alphabetic() && !c.is_numeric()) || is_mark(c)
}

/// Upper or title case; marks and letters of other scripts have none.
fn is_capital(c: char) -> bool {
    c.is_uppercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// Marks that are put on letters and are no letters to the standard library.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{6d6}'..='\u{6dc}'
        | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}' | '\u{a4d}'
        | '\u{abc}' | '\u{acd}' | '\u{b3c}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{cbc}'
        | '\u{ccd}' | '\u{d4d}' | '\u{dca}' | '\u{e47}'..='\u{e4e}' | '\u{ec8}'..='\u{ecd}'
        | '\u{1037}' | '\u{1039}' | '\u{103a}' | '\u{17d2}' | '\u{20d0}'..='\u{20ff}'
        | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Words::of(text).collect()
    }

    #[test]
    fn words_are_cut_as_the_pattern_cuts_them() {
        for (text, expected) in [
            ("Hello, world!", vec!["Hello", ",", " world", "!"]),
            (
                "it's 12345 o'clock",
                vec!["it's", " ", "123", "45", " o", "'clock"],
            ),
            ("getHTTPResponse", vec!["get", "HTTPResponse"]),
            ("HELLO\n\n  x", vec!["HELLO", "\n\n", " ", " x"]),
            ("你好HELLO", vec!["你好", "HELLO"]),
            ("a  = b;\n", vec!["a", " ", " =", " b", ";\n"]),
            ("(\"path\"/", vec!["(\"", "path", "\"/"]),
            ("हिन्दी", vec!["हिन्दी"]),
            ("end   ", vec!["end", "   "]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "\\PC*[ \n]*\\PC*") {
            proptest::prop_assert_eq!(words(&text).concat(), text);
        }
    }
}
