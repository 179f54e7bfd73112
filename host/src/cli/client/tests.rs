use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use aws_credential_types::Credentials;

use super::*;
use crate::cli::target::Trust;

const SHORT: Duration = Duration::from_millis(200);

/// What comes of a call of a server that says this much and then nothing.
fn hung(said: &'static [u8]) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint: Endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = std::thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        // The request is small enough to come at once.
        assert!(connection.read(&mut [0; 4096]).unwrap() > 0);
        connection.write_all(said).unwrap();
        // Until the client gives up.
        connection.read_to_end(&mut Vec::new()).unwrap();
    });
    let credentials = Credentials::new("AK", "S", None, None, "test");
    let client =
        Client::new(Target { endpoint, region: "us-east-1".into(), credentials, data: None, trust: Trust::System })
            .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(client.call(Call::get(&["a"]).timeout(SHORT).idle(SHORT))).unwrap_err();
    drop((client, runtime));
    server.join().unwrap();
    error
}

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\""] {
        let error = hung(said);
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        let failure = Failure::from(error);
        assert!(failure.next_step().unwrap().contains("lamina serve"));
    }
}
