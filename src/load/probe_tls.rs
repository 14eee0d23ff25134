//! TLS for the small GETs: any certificate of this machine is good enough to ask whether a service that we started is ready;
//! another host's is checked as the scenario says, else against the bundled roots.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::trust::Trust;

/// Wraps a connection; the handshake happens with the first bytes.
pub(super) fn wrap<'a, S: Read + Write + 'a>(
    stream: S,
    host: &str,
    is_ours: bool,
    trust: &Trust,
) -> io::Result<Box<dyn super::get::Stream + 'a>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = if is_ours {
        let anybody = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)));
        Arc::new(anybody.with_no_client_auth())
    } else if let Some(config) = trust.config() {
        Arc::clone(config)
    } else {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let client = ClientConnection::new(config, name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(client, stream)))
}

/// Trusts everybody.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::wrap;
    use crate::load::{
        get::{Bounds, Place, get},
        scenario::Transport,
        trust::Trust,
    };
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        sync::Arc,
        time::Duration,
    };
    use tokio_rustls::rustls::{
        ServerConfig, ServerConnection, StreamOwned,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    };

    /// A server that answers one GET of `/ready`, as far as its certificate is taken; the number of its port.
    fn server() -> (u16, std::thread::JoinHandle<bool>) {
        let certificate =
            CertificateDer::from(&include_bytes!("../../tests/fixtures/tls/certificate.der")[..]);
        let key = PrivatePkcs8KeyDer::from(&include_bytes!("../../tests/fixtures/tls/key.der")[..]);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
            let mut request = [0_u8; 1024];
            let Ok(count) = stream.read(&mut request) else { return false };
            // It closes without a word, as many do.
            request[..count].starts_with(b"GET /ready HTTP/1.1\r\n")
                && stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfine").is_ok()
        });
        (port, server)
    }

    #[test]
    fn a_service_of_this_machine_may_sign_its_own_certificate() {
        let (port, server) = server();
        let place = Place::new(&format!("https://localhost:{port}"), "/ready", None).unwrap();
        let mut goes_on = || true;
        let mut bounds = Bounds { time: Duration::from_secs(60), body_bytes: 100, goes_on: &mut goes_on };
        assert_eq!(get(&place, "*/*", &mut bounds).unwrap().body, b"fine");
        assert!(server.join().unwrap());
    }

    /// Asks a server of this machine as if it were another's.
    fn ask_stranger(trust: &Trust) -> std::io::Result<String> {
        let (port, server) = server();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut wire = wrap(stream, "localhost", false, trust).unwrap();
        let asked = wire.write_all(b"GET /ready HTTP/1.1\r\n\r\n").and_then(|()| {
            let mut answer = [0_u8; 100];
            let count = wire.read(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer[..count]).into_owned())
        });
        drop(wire);
        server.join().unwrap();
        asked
    }

    #[test]
    fn another_hosts_certificate_is_checked_as_the_scenario_says() {
        let refused = ask_stranger(&Trust::default()).unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{refused}");
        let folder = tempfile::tempdir().unwrap();
        let der = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            include_bytes!("../../tests/fixtures/tls/certificate.der"),
        );
        let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
        std::fs::write(folder.path().join("certificate.pem"), pem).unwrap();
        let trust = |ca: Option<&str>, tls_insecure| {
            let transport = Transport {
                http2: false,
                keep_alive: true,
                unix_socket: None,
                tls_ca: ca.map(Into::into),
                tls_insecure,
                allow_remote: false,
            };
            Trust::of(&transport, folder.path())
        };
        for trusting in [trust(Some("certificate.pem"), false), trust(None, true)] {
            assert!(ask_stranger(&trusting.unwrap()).unwrap().ends_with("fine"));
        }
        assert!(trust(Some("absent.pem"), false).unwrap_err().to_string().contains("absent.pem"));
    }
}
