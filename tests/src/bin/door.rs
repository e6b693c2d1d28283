//! The program behind `Door`: `door SOCKET PORT` lets connections to a Unix socket go on to a port of this computer's loopback,
//! until its standard input is closed.

#[cfg(unix)]
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    use anyhow::Context as _;
    use tokio::io::{AsyncReadExt as _, copy_bidirectional};
    use tokio::net::{TcpStream, UnixListener};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [socket, port] = arguments.as_slice() else {
        anyhow::bail!("usage: door SOCKET PORT");
    };
    let port: u16 = port.parse().context("the port is a number")?;
    let outside = UnixListener::bind(socket)?;
    let pass = async {
        while let Ok((mut visitor, _)) = outside.accept().await {
            tokio::spawn(async move {
                // Whoever is not there yet is asked again by the visitor.
                let mut host = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut visitor, &mut host).await
            });
        }
    };
    let (mut stdin, mut nothing) = (tokio::io::stdin(), Vec::new());
    tokio::select! {
        () = pass => {}
        _ = stdin.read_to_end(&mut nothing) => {}
    }
    Ok(())
}

#[cfg(not(unix))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("there are computers of their own only where there are network namespaces");
}
