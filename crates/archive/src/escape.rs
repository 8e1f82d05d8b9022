//! Texts of refusals that a database would not take: U+0000 is written `\0`, a backslash `\\`.

use std::borrow::Cow;

pub(crate) fn escape(text: &mut Cow<'_, str>) {
    if text.contains(['\\', '\0']) {
        *text = Cow::Owned(text.replace('\\', "\\\\").replace('\0', "\\0"));
    }
}

pub(crate) fn unescape(text: &mut Cow<'_, str>) {
    if !text.contains('\\') {
        return;
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            plain.push(if characters.next() == Some('0') { '\0' } else { '\\' });
        } else {
            plain.push(character);
        }
    }
    *text = Cow::Owned(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_holds_no_nul_and_reads_back() {
        for text in ["", "plain", "a\0b", "\\0", "\\\\0\0", "\0\\", "成绩\0"] {
            let mut changed = Cow::Borrowed(text);
            escape(&mut changed);
            assert!(!changed.contains('\0'), "{text:?}");
            unescape(&mut changed);
            assert_eq!(changed, text);
        }
    }
}
