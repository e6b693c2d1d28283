//! The kernel's side of USB over a connection (Documentation/usb/usbip_protocol.rst): it asks for transfers and takes some
//! back, we answer.

use std::io::{self, Read, Write};

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const HEADER: usize = 48;

/// A transfer was taken back before anything came of it.
const TAKEN_BACK: i32 = -104;
/// The device does not know such a request.
const STALLED: i32 = -32;

/// What the kernel asks for.
#[derive(Debug)]
pub enum Asked {
    /// A transfer.
    Transfer(Transfer),
    /// A transfer is not wanted any more.
    Back {
        /// This message's number.
        number: u32,
        /// The transfer's.
        transfer: u32,
    },
}

/// A transfer.
#[derive(Debug)]
pub struct Transfer {
    /// What the answer refers to.
    pub number: u32,
    /// To the kernel.
    pub inwards: bool,
    /// The endpoint's number; 0 for control.
    pub endpoint: u32,
    /// What there is room for.
    pub length: usize,
    /// What a control transfer is about.
    pub setup: [u8; 8],
    /// What goes to the device.
    pub data: Vec<u8>,
}

/// Waits for what is asked next.
pub fn read(from: &mut impl Read) -> io::Result<Asked> {
    let mut header = [0; HEADER];
    from.read_exact(&mut header)?;
    let word = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        u32::from_be_bytes(bytes)
    };
    let (command, number) = (word(0), word(4));
    match command {
        SUBMIT => {
            let (inwards, length) = (word(12) == 1, word(24) as usize);
            let mut data = vec![0; if inwards { 0 } else { length }];
            from.read_exact(&mut data)?;
            let mut setup = [0; 8];
            setup.copy_from_slice(&header[40..]);
            Ok(Asked::Transfer(Transfer {
                number,
                inwards,
                endpoint: word(16),
                length,
                setup,
                data,
            }))
        }
        UNLINK => Ok(Asked::Back {
            number,
            transfer: word(20),
        }),
        other => Err(io::Error::other(format!("unknown message {other}"))),
    }
}

/// A transfer has taken place; `data` is what came from the device, `length` what went either way.
pub fn done(to: &mut impl Write, number: u32, length: usize, data: &[u8]) -> io::Result<()> {
    let mut message = answer(3, number, 0, length as u32);
    message.extend(data);
    to.write_all(&message)
}

/// The device does not know such a request.
pub fn stalled(to: &mut impl Write, number: u32) -> io::Result<()> {
    to.write_all(&answer(3, number, STALLED, 0))
}

/// Whether a transfer could still be taken back.
pub fn back(to: &mut impl Write, number: u32, in_time: bool) -> io::Result<()> {
    let status = if in_time { TAKEN_BACK } else { 0 };
    to.write_all(&answer(4, number, status, 0))
}

fn answer(command: u32, number: u32, status: i32, length: u32) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + length as usize);
    for word in [
        command,
        number,
        0,
        0,
        0,
        status as u32,
        length,
        0,
        0,
        0,
        0,
        0,
    ] {
        message.extend(word.to_be_bytes());
    }
    message
}
