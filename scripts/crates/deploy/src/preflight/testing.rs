//! A server that plays AWS in unit tests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::template::Template;

use super::deployment::Deployment;

/// Responds to requests that contain a text with a status and a body, and to all others with status 500.
pub(crate) fn aws(responses: &[(&'static str, u16, &'static str)]) -> AwsClient {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let responses = responses.to_vec();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(&mut stream);
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).unwrap() > 0 {}
            let length = request.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut form = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut form).unwrap();
            request += &String::from_utf8_lossy(&form);
            let known = responses.iter().find(|(part, ..)| request.contains(part));
            let (status, body) = known.map_or((500, "unexpected request"), |&(_, status, body)| (status, body));
            let body = if request.starts_with("HEAD") { "" } else { body };
            let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    AwsClient::new(Target::local(port))
}

/// A deployment of `template` to AWS.
pub(crate) fn deployment<'a>(
    aws: &'a AwsClient,
    template: &'a Template,
    parameters: &'a BTreeMap<String, String>,
) -> Deployment<'a> {
    let (stack, region, architecture) = ("app-staging", "eu-west-1", "arm64");
    Deployment { aws, is_emulator: false, template, parameters, stack, region, architecture }
}
