//! The program behind `Lab`: `netlab DEVICE DEVICE SEED` makes two TUN devices and carries packets between them, as told on its
//! standard input, until that is closed.

#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, reason = "its answers go there")]
fn main() -> anyhow::Result<()> {
    use anyhow::Context as _;
    use vireo_tests::netlab::{Order, Relay};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [one, other, seed] = arguments.as_slice() else {
        anyhow::bail!("usage: netlab DEVICE DEVICE SEED");
    };
    let seed = seed.parse().context("the seed is a number")?;
    let relay = Relay::start(one, other, seed)?;
    println!("{}", serde_json::to_string(&relay.count())?);
    for line in std::io::stdin().lines() {
        match serde_json::from_str(&line?)? {
            Order::Set(way, link) => relay.set(way, &link),
            Order::Count => {}
        }
        println!("{}", serde_json::to_string(&relay.count())?);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux has the network namespaces that this links");
}
