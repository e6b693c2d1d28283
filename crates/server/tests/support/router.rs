//! A home router at an address of this computer: PCP (RFC 6887), NAT-PMP (RFC 6886) and UPnP (Internet Gateway Device 1).

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing here takes longer, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The router's side of the internet: of documentation (RFC 5737), so that nobody has it.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// What the router grants at most, in seconds: so that leases have to be renewed while the test looks on.
const LEASE: u32 = 2;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// "Not authorized", in PCP and NAT-PMP alike.
const NOT_AUTHORISED: u8 = 2;

/// What kind of router it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It knows PCP.
    Pcp,
    /// It knows NAT-PMP, and says so to whoever tries PCP.
    NatPmp,
    /// It knows UPnP, and opens ports for ever or not at all.
    Upnp,
    /// It knows UPnP, and opens ports for as long as it is asked to.
    UpnpForATime,
    /// It knows everything and allows nothing.
    Refuses,
    /// It says nothing to anybody.
    Silent,
    /// It knows PCP, and has this address on its other side.
    Behind(Ipv4Addr),
    /// It knows PCP, and refuses every second time.
    Forgets,
    /// It knows PCP, and opens this port of its for whichever of UDP it is asked for.
    Moves(u16),
}

/// One thing that the router was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub way: &'static str,
    pub protocol: u8,
    /// The port on this computer, or outside where it is to be closed.
    pub port: u16,
    pub close: bool,
}

pub struct Router {
    pub address: Ipv4Addr,
    asked: watch::Receiver<Vec<Asked>>,
    mappings: Mappings,
    behaviour: Behaviour,
    say: Say,
    /// Where UPnP's pages are, and who serves them.
    pages: watch::Sender<SocketAddr>,
    serving: JoinHandle<()>,
}

type Say = watch::Sender<Vec<Asked>>;

/// What UPnP has opened: protocol and port, and until when; none is for ever.
type Mappings = Arc<Mutex<HashMap<(u8, u16), Option<Instant>>>>;

impl Router {
    pub async fn start(behaviour: Behaviour) -> Self {
        // The ports are fixed; the address must be nobody else's on this computer.
        let (control, search, address) = loop {
            let [b, c, d] = rand::random::<[u8; 3]>().map(|n| n.clamp(1, 250));
            let address = Ipv4Addr::new(127, b, c, d);
            let control = UdpSocket::bind((address, 5351)).await;
            let search = UdpSocket::bind((address, 1900)).await;
            if let (Ok(control), Ok(search)) = (control, search) {
                break (control, search, address);
            }
        };
        let pages = TcpListener::bind((address, 0)).await.expect("bound");
        let (at, found_at) = watch::channel(pages.local_addr().expect("an address"));
        let (say, asked) = watch::channel(Vec::new());
        let mappings = Mappings::default();
        tokio::spawn(answer_control(control, behaviour, say.clone()));
        let knows_upnp = [Behaviour::Upnp, Behaviour::UpnpForATime, Behaviour::Refuses];
        let serving = if knows_upnp.contains(&behaviour) {
            tokio::spawn(answer_search(search, found_at));
            let mappings = mappings.clone();
            tokio::spawn(answer_pages(pages, behaviour, mappings, say.clone()))
        } else {
            // Bound, so that nobody answers instead.
            tokio::spawn(async move {
                let _bound = (search, pages);
                std::future::pending::<()>().await;
            })
        };
        Self {
            address,
            asked,
            mappings,
            behaviour,
            say,
            pages: at,
            serving,
        }
    }

    /// Whether UPnP has opened this port, and it is open still.
    pub fn is_open(&self, protocol: u8, port: u16) -> bool {
        let mappings = self.mappings.lock().expect("nobody panics with it");
        let until = mappings.get(&(protocol, port));
        until.is_some_and(|until| until.is_none_or(|until| until > Instant::now()))
    }

    /// It forgets what it has opened by UPnP.
    pub fn forget(&self) {
        self.mappings.lock().expect("nobody panics with it").clear();
    }

    /// The same, and its pages are somewhere else from now on, as with many that were restarted.
    pub async fn restart(&mut self) {
        self.serving.abort();
        self.forget();
        let pages = TcpListener::bind((self.address, 0)).await.expect("bound");
        self.pages
            .send_replace(pages.local_addr().expect("an address"));
        let (mappings, say) = (self.mappings.clone(), self.say.clone());
        self.serving = tokio::spawn(answer_pages(pages, self.behaviour, mappings, say));
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    pub async fn until(&mut self, what: &str, fits: impl Fn(&[Asked]) -> bool) {
        let asked = timeout(PATIENCE, self.asked.wait_for(|asked| fits(asked)));
        let in_time = asked.await.is_ok();
        assert!(in_time, "not asked: {what}; {:?}", self.asked());
    }
}

fn tell(say: &Say, asked: Asked) -> usize {
    say.send_modify(|all| all.push(asked));
    say.borrow().len()
}

async fn answer_control(socket: UdpSocket, behaviour: Behaviour, say: Say) {
    let mut packet = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await.expect("received");
        let packet = &packet[..length];
        let answer = match (packet[0], behaviour) {
            (_, Behaviour::Silent | Behaviour::Upnp | Behaviour::UpnpForATime) => continue,
            // "Unsupported version", in NAT-PMP's own form.
            (2, Behaviour::NatPmp) => vec![0, 0x81, 0, 1, 0, 0, 0, 9],
            (2, _) => pcp(packet, behaviour, &say),
            (0, _) => nat_pmp(packet, behaviour, &say),
            _ => continue,
        };
        socket.send_to(&answer, from).await.expect("sent");
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn port(bytes: &[u8]) -> u16 {
    u16::try_from(number(bytes)).expect("two bytes")
}

fn nat_pmp(packet: &[u8], behaviour: Behaviour, say: &Say) -> Vec<u8> {
    let code = match behaviour {
        Behaviour::Refuses => NOT_AUTHORISED,
        _ => 0,
    };
    let mut answer = vec![0, 0x80 | packet[1], 0, code, 0, 0, 0, 9];
    if packet[1] == 0 {
        answer.extend(OUTSIDE.octets());
        return answer;
    }
    let lifetime = number(&packet[8..12]);
    let asked = Asked {
        way: "NAT-PMP",
        protocol: if packet[1] == 1 { UDP } else { TCP },
        port: port(&packet[4..6]),
        close: lifetime == 0,
    };
    tell(say, asked);
    answer.extend(&packet[4..8]);
    answer.extend(lifetime.min(LEASE).to_be_bytes());
    answer
}

fn pcp(packet: &[u8], behaviour: Behaviour, say: &Say) -> Vec<u8> {
    assert_eq!(packet[1], 1, "MAP is all that is asked");
    let lifetime = number(&packet[4..8]);
    let asked = Asked {
        way: "PCP",
        protocol: packet[36],
        port: port(&packet[40..42]),
        close: lifetime == 0,
    };
    let count = tell(say, asked);
    let code = match behaviour {
        Behaviour::Refuses => NOT_AUTHORISED,
        Behaviour::Forgets if count.is_multiple_of(2) => NOT_AUTHORISED,
        _ => 0,
    };
    let outside = match behaviour {
        Behaviour::Behind(outside) => outside,
        _ => OUTSIDE,
    };
    let mut answer = vec![2, 0x81, 0, code];
    answer.extend(lifetime.min(LEASE).to_be_bytes());
    answer.extend([0, 0, 0, 9]);
    answer.extend([0; 12]);
    // Nonce, protocol, the port within and the one outside as they were asked for; then the address outside.
    answer.extend(&packet[24..44]);
    if let (Behaviour::Moves(to), UDP) = (behaviour, asked.protocol) {
        answer[42..44].copy_from_slice(&to.to_be_bytes());
    }
    answer.extend(outside.to_ipv6_mapped().octets());
    answer
}

async fn answer_search(socket: UdpSocket, pages: watch::Receiver<SocketAddr>) {
    let mut packet = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await.expect("received");
        let question = String::from_utf8_lossy(&packet[..length]);
        assert!(
            question.starts_with("M-SEARCH * HTTP/1.1\r\n"),
            "{question}"
        );
        let pages = *pages.borrow();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\
             LOCATION: http://{pages}/device.xml\r\n\r\n"
        );
        socket.send_to(answer.as_bytes(), from).await.expect("sent");
    }
}

const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

async fn answer_pages(listener: TcpListener, behaviour: Behaviour, mappings: Mappings, say: Say) {
    loop {
        let (stream, _) = listener.accept().await.expect("accepted");
        tokio::spawn(answer_page(
            stream,
            behaviour,
            mappings.clone(),
            say.clone(),
        ));
    }
}

async fn answer_page(mut stream: TcpStream, behaviour: Behaviour, mappings: Mappings, say: Say) {
    let mut request = String::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).await.expect("read");
        request.push_str(&String::from_utf8_lossy(&part[..length]));
        let complete = match request.split_once("\r\n\r\n") {
            Some((head, body)) => body.len() >= content_length(head),
            None => false,
        };
        if complete || length == 0 {
            break;
        }
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/device.xml") => (200, device()),
        Some("/service.xml") => (200, service()),
        Some("/control") => control(&request, behaviour, &mappings, &say),
        _ => (404, String::new()),
    };
    let answer = format!(
        "HTTP/1.1 {status} OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever goes away early has asked in vain.
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.map_or(0, |(_, length)| length.trim().parse().expect("a number"))
}

fn device() -> String {
    format!(
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>\
         <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>\
         <deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>\
         <deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>\
         <serviceType>{SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>\
         <SCPDURL>/service.xml</SCPDURL><controlURL>/control</controlURL><eventSubURL>/events</eventSubURL>\
         </service></serviceList></device></deviceList></device></deviceList></device></root>"
    )
}

fn service() -> String {
    let open = [
        "NewRemoteHost",
        "NewExternalPort",
        "NewProtocol",
        "NewInternalPort",
        "NewInternalClient",
        "NewEnabled",
        "NewPortMappingDescription",
        "NewLeaseDuration",
    ];
    let action = |name: &str, arguments: &[&str]| {
        let arguments = arguments.iter().map(|argument| {
            format!("<argument><name>{argument}</name><direction>in</direction></argument>")
        });
        let arguments: String = arguments.collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    format!(
        "<?xml version=\"1.0\"?><scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><actionList>{}{}{}</actionList></scpd>",
        action("AddPortMapping", &open),
        action("DeletePortMapping", &open[..3]),
        action("GetExternalIPAddress", &[]),
    )
}

/// What stands in this element; empty where there is none.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_default();
    rest.split('<').next().unwrap_or_default()
}

fn control(request: &str, behaviour: Behaviour, mappings: &Mappings, say: &Say) -> (u16, String) {
    let asked = |port: &str, close| Asked {
        way: "UPnP",
        protocol: match element(request, "NewProtocol") {
            "TCP" => TCP,
            _ => UDP,
        },
        port: element(request, port).parse().unwrap_or_default(),
        close,
    };
    if request.contains("#GetExternalIPAddress") {
        let address = format!("<NewExternalIPAddress>{OUTSIDE}</NewExternalIPAddress>");
        return done("GetExternalIPAddress", &address);
    }
    if request.contains("#DeletePortMapping") {
        let asked = asked("NewExternalPort", true);
        let mut mappings = mappings.lock().expect("nobody panics with it");
        mappings.remove(&(asked.protocol, asked.port));
        tell(say, asked);
        return done("DeletePortMapping", "");
    }
    assert!(request.contains("#AddPortMapping"), "{request}");
    let lease: u64 = element(request, "NewLeaseDuration")
        .parse()
        .expect("seconds");
    match behaviour {
        Behaviour::Refuses => {
            tell(say, asked("NewInternalPort", false));
            failed(606, "Action not authorized")
        }
        Behaviour::Upnp if lease != 0 => failed(725, "OnlyPermanentLeasesSupported"),
        _ => {
            let until = (lease != 0).then(|| Instant::now() + Duration::from_secs(lease));
            let outside = asked("NewExternalPort", false);
            let mut mappings = mappings.lock().expect("nobody panics with it");
            mappings.insert((outside.protocol, outside.port), until);
            tell(say, asked("NewInternalPort", false));
            done("AddPortMapping", "")
        }
    }
}

fn done(action: &str, what: &str) -> (u16, String) {
    let answer = format!("<u:{action}Response xmlns:u=\"{SERVICE}\">{what}</u:{action}Response>");
    (200, envelope(&answer))
}

fn failed(code: u16, why: &str) -> (u16, String) {
    let fault = format!(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
         <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
         <errorDescription>{why}</errorDescription></UPnPError></detail></s:Fault>"
    );
    (500, envelope(&fault))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}
