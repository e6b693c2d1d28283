//! What people show of themselves: who sees it, what it may be, and what is left of a picture that was sent.

mod support;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};
use support::{Person, TestServer, befriend, text};

/// What nobody who looks at the picture is to learn.
const PLACE: &[u8] = b"taken at 52.5200 N 13.4050 E";

/// A JPEG file of one colour, with a remark in it.
fn picture(colour: [u8; 3]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(300, 200, Rgb(colour)));
    image
        .write_to(&mut file, ImageFormat::Jpeg)
        .expect("written");
    let mut file = file.into_inner();
    let length = u16::try_from(PLACE.len() + 2).expect("short");
    let remark = [&[0xFF, 0xFE][..], &length.to_be_bytes(), PLACE].concat();
    file.splice(2..2, remark);
    file
}

async fn put_avatar(server: &TestServer, who: &Person, file: Vec<u8>) -> (u16, Value) {
    let request = server.http.put(server.url("/api/profile/avatar"));
    let answer = request.bearer_auth(&who.token).body(file).send().await;
    let answer = answer.expect("answered");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

async fn get_avatar(
    server: &TestServer,
    of: &Person,
    viewer: &Person,
    known: &str,
) -> reqwest::Response {
    let path = format!("/api/users/{}/avatar", of.id);
    let request = server
        .http
        .get(server.url(&path))
        .bearer_auth(&viewer.token);
    let answer = request.header(IF_NONE_MATCH, known).send().await;
    answer.expect("answered")
}

async fn rename(server: &TestServer, who: &Person, name: &Value) -> (u16, Value) {
    let body = json!({"displayName": name});
    server
        .ask("PUT", "/api/profile", &who.token, Some(&body))
        .await
}

#[tokio::test]
async fn a_name_is_shown_to_those_whom_the_person_has_added() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let (mut a, mut b) = (server.connect(&ann).await, server.connect(&bob).await);
    let (status, profile) = rename(&server, &ann, &json!("  Ann Lee ")).await;
    assert_eq!((status, &profile["displayName"]), (200, &json!("Ann Lee")));
    assert_eq!(profile["user"]["name"], "Ann");
    // Whoever asks to become a contact does not learn it; whoever is asked does.
    let add = json!({"type": "contacts:add", "name": "Ann"});
    assert_eq!(b.ask(add).await["contact"]["displayName"], Value::Null);
    rename(&server, &bob, &json!("Robert")).await;
    let shown = |news: &Value| news["contact"]["displayName"] == "Robert";
    a.expect_where("contact", shown).await;
    let accept = json!({"type": "contacts:accept", "userId": bob.id});
    assert_eq!(a.ask(accept).await["contact"]["displayName"], "Robert");
    let shown = |news: &Value| news["contact"]["displayName"] == "Ann Lee";
    b.expect_where("contact", shown).await;
    // Every device of theirs hears of a change, and the person's own with the next greeting.
    let mut phone = server.connect(&bob).await;
    rename(&server, &ann, &json!("Annabel")).await;
    for device in [&mut b, &mut phone] {
        let shown = |news: &Value| news["contact"]["displayName"] == "Annabel";
        device.expect_where("contact", shown).await;
    }
    let mut again = server.open(&ann.token).await.expect("connected");
    let hello = json!({"type": "hello", "version": 2, "client": "test"});
    assert_eq!(again.ask(hello).await["displayName"], "Annabel");
    let (_, profile) = rename(&server, &ann, &json!(" ")).await;
    assert_eq!(profile["displayName"], Value::Null);
    let shown = |news: &Value| news["contact"]["displayName"].is_null();
    b.expect_where("contact", shown).await;
    for bad in ["a".repeat(65), "\u{202e}nnA".to_owned(), "a\nb".to_owned()] {
        let (status, answer) = rename(&server, &ann, &json!(bad)).await;
        assert_eq!((status, &answer["code"]), (400, &json!("invalid-name")));
    }
}

#[tokio::test]
async fn a_picture_is_made_anew_and_shown_to_contacts_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let eve = server.register("Eve").await;
    let (mut a, mut b) = (server.connect(&ann).await, server.connect(&bob).await);
    befriend(&mut a, &ann, &mut b, &bob).await;
    let file = picture([200, 0, 0]);
    assert!(file.windows(PLACE.len()).any(|part| part == PLACE));
    let (status, profile) = put_avatar(&server, &ann, file).await;
    assert_eq!(status, 200, "{profile}");
    let etag = text(&profile["avatar"]);
    let shown = |news: &Value| news["contact"]["avatar"] == etag.as_str();
    b.expect_where("contact", shown).await;
    for viewer in [&ann, &bob] {
        let answer = get_avatar(&server, &ann, viewer, "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[ETAG], format!("\"{etag}\"").as_str());
        let caching = answer.headers()[CACHE_CONTROL].to_str().expect("text");
        assert!(caching.contains("private"), "{caching}");
        let image = answer.bytes().await.expect("a body");
        assert!(!image.windows(PLACE.len()).any(|part| part == PLACE));
        let image = image::load_from_memory_with_format(&image, ImageFormat::Jpeg);
        let image = image.expect("a JPEG").to_rgb8();
        assert_eq!(image.dimensions(), (256, 256));
        assert!(image.get_pixel(128, 128).0[0] > 150);
    }
    let same = get_avatar(&server, &ann, &bob, &format!("\"x\", \"{etag}\"")).await;
    assert_eq!(same.status(), 304);
    // For others it is as if there were none; also for who asks to become a contact, until that is answered.
    let mut e = server.connect(&eve).await;
    e.ask(json!({"type": "contacts:add", "name": "Ann"})).await;
    assert_eq!(get_avatar(&server, &ann, &eve, "*").await.status(), 404);
    assert_eq!(get_avatar(&server, &bob, &eve, "").await.status(), 404);
    put_avatar(&server, &eve, picture([0, 200, 0])).await;
    assert_eq!(get_avatar(&server, &eve, &ann, "").await.status(), 200);
    // Another picture, and none.
    let (_, profile) = put_avatar(&server, &ann, picture([0, 0, 200])).await;
    assert_ne!(profile["avatar"], etag.as_str());
    let path = "/api/profile/avatar";
    let (status, profile) = server.ask("DELETE", path, &ann.token, None).await;
    assert_eq!((status, &profile["avatar"]), (200, &Value::Null));
    let gone = |news: &Value| news["contact"]["avatar"].is_null();
    b.expect_where("contact", gone).await;
    assert_eq!(get_avatar(&server, &ann, &bob, "").await.status(), 404);
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut wide = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(RgbImage::new(60_000, 1));
    image
        .write_to(&mut wide, ImageFormat::Png)
        .expect("written");
    for (file, status) in [
        (b"<svg></svg>".to_vec(), 400),
        (Vec::new(), 400),
        (picture([0; 3])[..100].to_vec(), 400),
        (wide.into_inner(), 400),
        (vec![0; 256 * 1024 + 1], 413),
    ] {
        let (got, answer) = put_avatar(&server, &ann, file).await;
        assert_eq!((got, &answer["code"]), (status, &json!("invalid-picture")));
        assert!(
            text(&answer["message"]).contains("Please choose"),
            "{answer}"
        );
    }
    // Each change is told to all contacts: there are not many in a row.
    for _ in 0..6 {
        rename(&server, &ann, &json!("Annabel")).await;
    }
    let (status, answer) = rename(&server, &ann, &json!("Annabel")).await;
    assert_eq!((status, &answer["code"]), (429, &json!("rate-limited")));
}
