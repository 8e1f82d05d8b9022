//! A token endpoint as OAUTHBEARER asks one (RFC 6749, section 4.4): gives tokens without a signature, which Kafka's test handler takes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use serde_json::json;

/// Answers until the program ends, whoever knows this secret of the client.
pub(super) fn serve_tokens(user: &'static str, secret: String) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever gets no answer says so.
            let _ = answer(stream, user, &secret);
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, user: &str, secret: &str) -> anyhow::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut is_known, mut line) = (0, false, String::new());
    while reader.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "authorization" => is_known = value.trim() == format!("Basic {}", base64(format!("{user}:{secret}").as_bytes(), true)),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asks = String::from_utf8(body)?.contains("grant_type=client_credentials");
    let (status, text) = if is_known && asks {
        let token = unsigned_token(user)?;
        (
            "200 OK",
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 }),
        )
    } else {
        ("401 Unauthorized", json!({ "error": "invalid_client" }))
    };
    let text = text.to_string();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{text}", text.len()).context("answer")
}

/// An unsecured JWS (RFC 7515, appendix A.5).
fn unsigned_token(user: &str) -> anyhow::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = json!({ "alg": "none" }).to_string();
    let claims = json!({ "sub": user, "iat": now, "exp": now + 300 }).to_string();
    Ok(format!(
        "{}.{}.",
        base64(header.as_bytes(), false),
        base64(claims.as_bytes(), false)
    ))
}

/// RFC 4648: the standard alphabet with padding, or the one for addresses without.
fn base64(bytes: &[u8], is_standard: bool) -> String {
    let last = if is_standard { b"+/" } else { b"-_" };
    let alphabet: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(last.iter().copied())
        .collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| {
            (number << 8) | usize::from(chunk.get(at).copied().unwrap_or(0))
        });
        let letters = (0..=chunk.len()).map(|at| char::from(alphabet[(number >> (18 - 6 * at)) & 63]));
        text.extend(letters);
        text.extend(std::iter::repeat_n('=', if is_standard { 3 - chunk.len() } else { 0 }));
    }
    text
}
