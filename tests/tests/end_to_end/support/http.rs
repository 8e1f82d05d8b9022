//! A plain HTTP client of the door and of the desk.

use std::net::SocketAddr;

use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use scoresync_tests::installation::Installation;
use serde_json::Value;

/// Sends whatever a test wants.
pub(crate) struct Http<'a> {
    client: Client,
    installation: &'a Installation,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

impl<'a> Http<'a> {
    pub(crate) fn new(installation: &'a Installation) -> Self {
        Self {
            client: Client::new(),
            installation,
        }
    }

    /// Pushes to a source with the token of a name; `None` is no token.
    pub(crate) async fn push(
        &self,
        (source, token): (&str, Option<&str>),
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let url = format!("http://{}/v1/sources/{source}/reports", self.installation.door);
        let request = self.client.post(url).header(CONTENT_TYPE, content_type).body(body.into());
        answer(self.with_token(request, token)).await
    }

    /// Puts an employee.
    pub(crate) async fn put(&self, employee_no: &str, token: Option<&str>, employee: &Value) -> anyhow::Result<Answer> {
        let url = format!("http://{}/v1/employees/{employee_no}", self.installation.door);
        answer(self.with_token(self.client.put(url).json(employee), token)).await
    }

    /// Asks the desk at an address of its interface.
    pub(crate) async fn look(&self, desk: SocketAddr, token: Option<&str>, address: &str) -> anyhow::Result<Answer> {
        let request = self.client.get(format!("http://{desk}{address}"));
        answer(self.with_token(request, token)).await
    }

    /// Has the desk do something.
    pub(crate) async fn act(&self, desk: SocketAddr, token: Option<&str>, address: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.client.post(format!("http://{desk}{address}")).json(body);
        answer(self.with_token(request, token)).await
    }

    /// A name that has no token stands for itself.
    fn with_token(&self, request: RequestBuilder, name: Option<&str>) -> RequestBuilder {
        match name {
            None => request,
            Some(name) => {
                let token = self.installation.tokens.get(name).map_or(name, String::as_str);
                request.header(AUTHORIZATION, format!("Bearer {token}"))
            }
        }
    }
}

impl Answer {
    pub(crate) fn is_problem(&self, status: StatusCode, name: &str) -> bool {
        let kind = format!("urn:scoresync:problem:{name}");
        let told = (self.body["type"].as_str(), self.body["status"].as_u64());
        let document = "application/problem+json";
        self.status == status.as_u16() && self.content_type == document && told == (Some(&kind), Some(u64::from(status.as_u16())))
    }
}

async fn answer(request: RequestBuilder) -> anyhow::Result<Answer> {
    let answer = request.send().await?;
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: answer.status().as_u16(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: answer.json().await?,
    })
}
