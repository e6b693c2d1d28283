//! The checks, one function each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use super::reach::Target;
use super::{Check, Finding, Report, Verdict};
use crate::front::{Front, Shown, is_of_the_internet};
use crate::relay::{Relay, self_test};
use crate::router_ports::{Opened, PortKind, RouterPorts};
use crate::store::{Store, now_ms};
use crate::tls::day;

/// With less left than this a certificate should have been renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is looked at.
pub struct Examined<'a> {
    /// Where the server listens.
    pub front: &'a Front,
    /// The relay, where there is one.
    pub relay: Option<&'a Relay>,
    /// Whether clients are sent to relays elsewhere.
    pub relays_elsewhere: bool,
    /// What a home router has been asked for.
    pub router: &'a RouterPorts,
    /// The database.
    pub store: &'a Store,
}

impl Examined<'_> {
    /// Looks at everything. Takes some seconds where something does not answer.
    pub async fn report(&self) -> Report {
        let (database, relay, computer, network, outside) = tokio::join!(
            self.database(),
            self.relay(),
            self.this_computer(),
            self.this_network(),
            self.outside()
        );
        let certificate = self.certificate();
        Report {
            findings: vec![database, certificate, relay, computer, network, outside],
        }
    }

    async fn database(&self) -> Finding {
        let (verdict, sentence) = match self.store.set_alive(now_ms()).await {
            Ok(()) => (Verdict::Good, "can be written.".to_owned()),
            Err(error) => {
                let sentence = format!(
                    "cannot be written: {error}. Nothing new is kept until it can. See that the disk is not full, that \
                     the data directory may be written, and that no other program holds the database."
                );
                (Verdict::Bad, sentence)
            }
        };
        Finding::new(Check::Database, verdict, sentence)
    }

    fn certificate(&self) -> Finding {
        let finding =
            |verdict, sentence: String| Finding::new(Check::Certificate, verdict, sentence);
        let Some(certificate) = self.front.certificate() else {
            let sentence = match self.front.is_behind_proxy() {
                true => "none here: the proxy encrypts.",
                false => "none: what stays on this computer is not encrypted.",
            };
            return finding(Verdict::Note, sentence.to_owned());
        };
        let kind = match self.front.is_certificate_own() {
            true => "the server's own, known by its fingerprint",
            false => "from the files that were named",
        };
        let Some(validity) = certificate.validity() else {
            let sentence = format!("{kind}; until when it is valid cannot be read.");
            return finding(Verdict::Note, sentence);
        };
        let (from, until) = (day(validity.from), day(validity.until));
        let now = SystemTime::now();
        match now {
            early if early < validity.from => finding(
                Verdict::Bad,
                format!(
                    "{kind}, valid only from {from}. Set this computer's clock, or get another certificate."
                ),
            ),
            late if late > validity.until => finding(
                Verdict::Bad,
                format!(
                    "{kind}, expired on {until}. Renew it: the server takes up the new one by itself."
                ),
            ),
            soon if soon + RENEW_BEFORE > validity.until => finding(
                Verdict::Bad,
                format!(
                    "{kind}, valid until {until} only. Renew it: the server takes up the new one by itself."
                ),
            ),
            _ => finding(Verdict::Good, format!("{kind}, valid until {until}.")),
        }
    }

    async fn relay(&self) -> Finding {
        let finding = |verdict, sentence: String| Finding::new(Check::Relay, verdict, sentence);
        let Some(relay) = self.relay else {
            let sentence = match self.relays_elsewhere {
                true => "left to the TURN servers that were named.",
                false => "none: calls get through where both sides can reach each other.",
            };
            return finding(Verdict::Note, sentence.to_owned());
        };
        let Some(address) = relay.listening().first().copied().map(on_this_computer) else {
            return finding(
                Verdict::Bad,
                "listens nowhere. Name an address with --turn-listen.".to_owned(),
            );
        };
        let port = address.port();
        match self_test(address, &relay.address().secret).await {
            Ok(()) => finding(
                Verdict::Good,
                format!("passes calls on through firewalls (TURN, UDP port {port})."),
            ),
            Err(problem) => finding(
                Verdict::Bad,
                format!(
                    "passes nothing on (TURN, UDP port {port}): {problem}. See that no firewall of this computer forbids \
                     UDP, or choose other ports with --turn-port and --relay-ports."
                ),
            ),
        }
    }

    async fn this_computer(&self) -> Finding {
        tried(Check::ThisComputer, self.front.local(), ".").await
    }

    async fn this_network(&self) -> Finding {
        let Some(best) = self.front.on_the_network().into_iter().next() else {
            let sentence = match self.unreached() {
                Unreached::Proxy => "left to the proxy.",
                Unreached::Chosen => {
                    "not reachable: the server is for this computer only (--listen)."
                }
                Unreached::NoNetwork => {
                    "not reachable: this computer is in no network at present. See its cable or wireless connection."
                }
            };
            return Finding::new(Check::ThisNetwork, Verdict::Note, sentence);
        };
        let unless = ", unless a firewall of this computer keeps others out.";
        tried(Check::ThisNetwork, best, unless).await
    }

    async fn outside(&self) -> Finding {
        if let Some(url) = self.front.public_url() {
            return self.by_name(url).await;
        }
        let finding = |sentence: String| Finding::new(Check::Outside, Verdict::Note, sentence);
        let places = self.front.on_the_network();
        let Some(best) = places.first() else {
            let sentence = match self.unreached() {
                Unreached::Proxy => {
                    "left to the proxy. Name the address that people use with --public-url."
                }
                Unreached::Chosen => {
                    "not reachable: the server is for this computer only (--listen)."
                }
                Unreached::NoNetwork => "not reachable: this computer is in no network at present.",
            };
            return finding(sentence.to_owned());
        };
        match self.router.answered(PortKind::Tcp).await {
            Opened::Open(outside) => self.through_router(outside, best).await,
            Opened::NotAsked => finding(
                match places.iter().find(|it| is_of_the_internet(it.address.ip())) {
                    Some(Shown { address, .. }) => format!(
                        "reachable at {address}, unless a firewall keeps others out: that cannot be found out from here."
                    ),
                    None => self.by_hand(""),
                },
            ),
            Opened::Asking | Opened::Closed => {
                finding(self.by_hand(" No router has opened a port for it (PCP, NAT-PMP, UPnP)."))
            }
        }
    }

    /// Tries the router's own address from inside. Not every router leads back what comes from inside, so that nothing is
    /// proved by failing.
    async fn through_router(&self, outside: SocketAddr, best: &Shown) -> Finding {
        let finding = |verdict, sentence| Finding::new(Check::Outside, verdict, sentence);
        if !is_of_the_internet(outside.ip()) {
            let sentence = format!(
                "this network only: the router has opened {outside}, but that is no address of the internet. Another router \
                 stands before it, or the provider shares one address among customers: ask the provider for one of your own."
            );
            return finding(Verdict::Note, sentence);
        }
        let relay = self.through_router_relay().await;
        let from_inside = Target::from(Shown {
            address: outside,
            ..*best
        });
        match from_inside.reach().await {
            Ok(()) => finding(
                Verdict::Good,
                format!("reachable at {outside}: the router has opened the port.{relay}"),
            ),
            Err(_) => finding(
                Verdict::Note,
                format!(
                    "the router has opened {outside}. It does not lead back here from inside, so that it has to be tried from \
                     elsewhere; on this network the server is at {}.{relay}",
                    best.address
                ),
            ),
        }
    }

    /// What is to be done for the relay. Clients are told of the port that the router has opened, whichever it is.
    async fn through_router_relay(&self) -> String {
        let port = self.relay.and_then(|relay| relay.listening().first());
        let Some(port) = port.map(SocketAddr::port) else {
            return String::new();
        };
        match self.router.answered(PortKind::Udp).await {
            Opened::Open(_) => String::new(),
            _ => format!(
                " It has not opened UDP port {port}: let it pass that on to this computer too, so that calls get through \
                 firewalls."
            ),
        }
    }

    fn by_hand(&self, why: &str) -> String {
        let port = self
            .front
            .on_the_network()
            .first()
            .map_or(0, |best| best.address.port());
        format!(
            "this network only, as far as can be found out from here.{why} To be reached from elsewhere, let the router pass \
             TCP port {port}{} on to this computer, and name its address with --public-url.",
            self.relay_port()
        )
    }

    /// The address that was named. It may well not work from within the house, so that nothing is proved by failing.
    async fn by_name(&self, url: &str) -> Finding {
        let finding = |verdict, sentence| Finding::new(Check::Outside, verdict, sentence);
        let tried = match Target::named(&self.front.public_address(None).server).await {
            Ok(target) => target.reach().await,
            Err(problem) => Err(problem),
        };
        match tried {
            Ok(()) => finding(
                Verdict::Good,
                format!("reachable at {url}, as seen from this computer."),
            ),
            Err(problem) => finding(
                Verdict::Note,
                format!(
                    "{url} was named, but does not lead here from this computer: {problem}. Try it from elsewhere."
                ),
            ),
        }
    }

    /// Why no other computer reaches the server.
    fn unreached(&self) -> Unreached {
        if self.front.is_behind_proxy() {
            Unreached::Proxy
        } else if self.front.is_for_this_computer() {
            Unreached::Chosen
        } else {
            Unreached::NoNetwork
        }
    }

    fn relay_port(&self) -> String {
        let port = self.relay.and_then(|relay| relay.listening().first());
        port.map_or_else(String::new, |at| format!(" and UDP port {}", at.port()))
    }
}

/// Why no other computer reaches the server.
enum Unreached {
    /// Only the proxy may.
    Proxy,
    /// It was said so.
    Chosen,
    /// There is no way to it.
    NoNetwork,
}

async fn tried(check: Check, shown: Shown, unless: &str) -> Finding {
    let address = shown.address;
    match Target::from(shown).reach().await {
        Ok(()) => Finding::new(
            check,
            Verdict::Good,
            format!("reachable at {address}{unless}"),
        ),
        Err(problem) => Finding::new(
            check,
            Verdict::Bad,
            format!(
                "not reachable at {address}: {problem}. See whether a firewall of this computer forbids it."
            ),
        ),
    }
}

fn on_this_computer(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
