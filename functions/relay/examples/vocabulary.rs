//! Packs a vocabulary for the estimates: `cargo run --example vocabulary o200k_base.tiktoken > packed`.

#![expect(clippy::unwrap_used, reason = "a tool that cannot go on says where")]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let token = |line: &str| STANDARD.decode(line.split(' ').next().unwrap()).unwrap();
    let mut tokens: Vec<Vec<u8>> = text.lines().map(token).collect();
    tokens.sort();
    let (mut shared, mut own, mut rests) = (Vec::new(), Vec::new(), Vec::new());
    let mut last: &[u8] = &[];
    for token in &tokens {
        let alike = last.iter().zip(token).take_while(|(a, b)| a == b).count();
        let rest = token.get(alike..).unwrap();
        shared.push(u8::try_from(alike).unwrap());
        own.push(u8::try_from(rest.len()).unwrap());
        rests.extend_from_slice(rest);
        last = token;
    }
    let plain = [shared, own, rests].concat();
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 10);
    std::io::stdout().write_all(&packed).unwrap();
}
