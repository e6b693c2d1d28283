//! The pages of the Settings app, by their addresses.

use vireo_call::NoticeKind;

type Program = (&'static str, &'static [&'static str]);

pub const fn programs(kind: NoticeKind) -> [Program; 1] {
    let page: &[&str] = match kind {
        NoticeKind::Camera => &["ms-settings:privacy-webcam"],
        NoticeKind::Microphone => &["ms-settings:privacy-microphone"],
        NoticeKind::Speaker => &["ms-settings:sound"],
    };
    [("explorer.exe", page)]
}
