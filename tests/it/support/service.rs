//! The sample service: compiled once, asked by hand.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The compiled `tests/projects/service/server.rs`.
pub(crate) fn server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/service/server.rs");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("service-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("server");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        let status =
            command.args(["--edition", "2024", "-O", "-o"]).arg(&program).arg(source).status().unwrap();
        assert!(status.success());
        program
    })
}

/// The body of the service's answer to a GET; empty when it gave none.
pub(crate) fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    // One that is told to exit closes without an answer.
    let _ = stream.read_to_string(&mut answer);
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}
