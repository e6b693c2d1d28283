//! Networks for tests: computers of their own and the links between them, as Linux network namespaces.
//!
//! ```text
//!   home ── middle ── home        home ── router ── middle ── router ── home
//! ```
//!
//! The middle stands for the internet: `vireo-server` and the TURN server run there. Nothing needs rights that a user does not
//! have, and nothing is left behind: a namespace lasts as long as the process that holds it, which ends with the test.

mod computer;
#[cfg(unix)]
mod door;
mod turn;

use std::net::Ipv4Addr;

pub use computer::Computer;
#[cfg(unix)]
pub use door::Door;
pub use turn::TurnServer;

/// Where `vireo-server` listens in the middle. It takes addresses of the loopback alone, so this one of them leads there from
/// every home.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 1);

/// The address of the STUN and TURN server in the middle.
pub const TURN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The port of the STUN and TURN server.
pub const TURN_PORT: u16 = 3478;

/// A middle, and homes around it.
pub struct Network {
    middle: Computer,
    links: u8,
    /// Kept for their namespaces.
    routers: Vec<Computer>,
}

impl Network {
    /// A middle through which no home reaches another one, but each reaches what runs there.
    ///
    /// # Errors
    /// When the system gives no namespaces.
    pub fn isolating() -> anyhow::Result<Self> {
        let middle = Computer::first()?;
        middle.run(&format!("ip address add {TURN}/32 dev lo"))?;
        Ok(Self {
            middle,
            links: 0,
            routers: Vec::new(),
        })
    }

    /// A middle that forwards, as the internet does.
    ///
    /// # Errors
    /// When the system gives no namespaces.
    pub fn forwarding() -> anyhow::Result<Self> {
        let network = Self::isolating()?;
        network.middle.run(FORWARD)?;
        Ok(network)
    }

    /// The computer in the middle.
    #[must_use]
    pub fn middle(&self) -> &Computer {
        &self.middle
    }

    /// A home whose computer is linked to the middle.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn home(&mut self) -> anyhow::Result<Computer> {
        let home = Computer::beside(&self.middle)?;
        self.link(&home)?;
        Ok(home)
    }

    /// A home behind a firewall of the strict kind: no UDP reaches it but from the TURN server's port.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn home_behind_firewall(&mut self) -> anyhow::Result<Computer> {
        let home = self.home()?;
        home.run(&format!(
            "nft add table ip wall
             nft add chain ip wall in '{{ type filter hook input priority 0; }}'
             nft add rule ip wall in iifname wan udp sport != {TURN_PORT} drop"
        ))?;
        Ok(home)
    }

    /// A home whose computer has a private address behind a router that translates it (NAT).
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn home_behind_nat(&mut self) -> anyhow::Result<Computer> {
        let router = Computer::beside(&self.middle)?;
        self.link(&router)?;
        router.run(FORWARD)?;
        router.run(
            // What nobody inside has asked for is thrown away, as routers do. Were it answered, the kernel would keep the port
            // for it, and give what goes out to the same place another one.
            "nft add table ip home
             nft add chain ip home out '{ type nat hook postrouting priority 100; }'
             nft add rule ip home out oifname wan masquerade
             nft add chain ip home in '{ type filter hook input priority 0; }'
             nft add rule ip home in iifname wan ct state new drop",
        )?;
        let home = Computer::beside(&self.middle)?;
        // Every home has the same addresses, as it is with routers out of the box.
        router.link(&home, "lan", "192.168.1.1", "192.168.1.2")?;
        self.routers.push(router);
        Ok(home)
    }

    /// The internet gives another address to whatever it reaches by `wan`, be it a home's computer or its router.
    ///
    /// # Errors
    /// When it cannot be given.
    pub fn move_to_another_address(&self, outer: &Computer) -> anyhow::Result<()> {
        outer.run(&format!(
            "gateway=$(ip route show default | cut -d' ' -f3)
             ip address flush dev wan
             ip address add ${{gateway%.1}}.77/24 dev wan
             ip route replace default via $gateway
             ip route replace {SERVER} via $gateway"
        ))
    }

    /// The router of a home behind one, the first that was made being 0.
    #[must_use]
    pub fn router(&self, number: usize) -> &Computer {
        &self.routers[number]
    }

    fn link(&mut self, outer: &Computer) -> anyhow::Result<()> {
        self.links += 1;
        let number = self.links;
        self.middle.link(
            outer,
            &format!("home{number}"),
            &format!("10.0.{number}.1"),
            &format!("10.0.{number}.2"),
        )
    }
}

const FORWARD: &str = "echo 1 > /proc/sys/net/ipv4/ip_forward";
