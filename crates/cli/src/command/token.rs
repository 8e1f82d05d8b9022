//! `scoresync token new`.

use scoresync_service::Exit;
use scoresync_web::new_token;
use serde_json::json;

use crate::{arguments::Token, failure::Failure, output::Output};

pub(super) fn run(arguments: &Token, output: Output) -> Result<Exit, Failure> {
    let Token::New = arguments;
    let token = new_token();
    output.print(&json!({ "token": token.text, "sha256": token.sha256 }), |_| {
        vec![
            format!("token, for the sender:        {}", token.text),
            format!("hash, for the configuration:  sha256 = \"{}\"", token.sha256),
            "The token is shown this once; scoresync keeps the hash alone.".to_owned(),
        ]
    })?;
    Ok(Exit::Ok)
}
