//! How many pages a PDF has, read from its page tree.
//! <https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf>, 7.5 and 7.7

use memchr::memmem;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// How much may be unpacked of one file, in bytes: more pages than anybody reads.
const UNPACKED: usize = 2 * 1024 * 1024;

/// The pages of a PDF; `None` when they cannot be seen.
#[must_use]
pub(super) fn pages(pdf: &[u8]) -> Option<u64> {
    let mut pages = counted(pdf);
    let mut left = UNPACKED;
    for at in memmem::find_iter(pdf, b"/ObjStm") {
        let unpacked = decompress_to_vec_zlib_with_limit(stream(pdf, at)?, left).ok()?;
        left = left.checked_sub(unpacked.len())?;
        pages = pages.max(counted(&unpacked));
    }
    (pages > 0).then_some(pages)
}

/// How many pages an uncompressed part of a file tells of: its page objects, or the count of its tree,
/// in which a page may stand more than once.
fn counted(part: &[u8]) -> u64 {
    let pages = memmem::find_iter(part, b"/Page").filter(|at| {
        let before = part.get(..*at).unwrap_or_default().trim_ascii_end();
        let next = part.get(at + b"/Page".len());
        before.ends_with(b"/Type") && !next.is_some_and(u8::is_ascii_alphanumeric)
    });
    let pages = pages.count() as u64;
    let counts = memmem::find_iter(part, b"/Count").filter_map(|at| {
        let number = part.get(at + b"/Count".len()..)?.trim_ascii_start();
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
        let number = number.get(..digits.count().min(9))?;
        std::str::from_utf8(number).ok()?.parse().ok()
    });
    pages.max(counts.max().unwrap_or_default())
}

/// The bytes of the stream whose dictionary stands around a place.
fn stream(pdf: &[u8], at: usize) -> Option<&[u8]> {
    const FARTHEST: usize = 1_024;
    let rest = pdf.get(at..)?;
    let near = rest.get(..FARTHEST).unwrap_or(rest);
    let begins = memmem::find(near, b"stream")? + b"stream".len();
    let data = rest.get(begins..)?;
    let data = data.strip_prefix(b"\r").unwrap_or(data);
    Some(data.strip_prefix(b"\n").unwrap_or(data))
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;

    fn page(number: u32) -> String {
        format!("{number} 0 obj<</Type /Page/Parent 1 0 R>>endobj\n")
    }

    fn with_stream(head: &str, objects: &[u8]) -> Vec<u8> {
        let head = format!("%PDF-1.5\n1 0 obj<</Type/ObjStm{head}>>stream\r\n");
        [head.as_bytes(), objects, b"\r\nendstream endobj"].concat()
    }

    #[test]
    fn plain_pages_are_counted() {
        let tree = "%PDF-1.4\n1 0 obj<</Type/Pages/Kids[2 0 R]/Count 3>>endobj\n";
        let pages_of = |pdf: &str| pages(pdf.as_bytes());
        assert_eq!(pages_of(&format!("{tree}{}", page(2))), Some(3));
        let many: String = (2..9).map(page).collect();
        assert_eq!(pages_of(&format!("{tree}{many}")), Some(7));
        assert_eq!(
            pages_of("%PDF-1.4 /Type /PageLabel /Type/Pages /Count x"),
            None
        );
    }

    #[test]
    fn packed_pages_are_counted_and_damaged_ones_are_not_guessed() {
        let many: String = (2..9).map(page).collect();
        let packed = compress_to_vec_zlib(many.as_bytes(), 6);
        assert_eq!(pages(&with_stream("/Filter/FlateDecode", &packed)), Some(7));
        assert_eq!(pages(&with_stream("", &packed[..20])), None);
        assert_eq!(pages(&with_stream("", b"no zlib")), None);
        let bomb = compress_to_vec_zlib(&vec![b' '; 2 * UNPACKED], 6);
        assert_eq!(pages(&with_stream("", &bomb)), None);
    }
}
