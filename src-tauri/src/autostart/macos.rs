//! On macOS: a property list among the person's own launch agents.

use std::{fs, io, path::PathBuf};

fn agent(name: &str) -> io::Result<PathBuf> {
    let home = dirs::home_dir().ok_or_else(|| io::Error::other("there is no home"))?;
    Ok(home.join(format!("Library/LaunchAgents/{name}.plist")))
}

pub fn is_on(name: &str) -> bool {
    agent(name).is_ok_and(|path| path.exists())
}

pub fn switch_on(name: &str, command: &[String]) -> io::Result<()> {
    let path = agent(name)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text(name, command))
}

pub fn switch_off(name: &str) -> io::Result<()> {
    match fs::remove_file(agent(name)?) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn text(name: &str, command: &[String]) -> String {
    let words = command.iter().map(|word| string(word));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\n\
         <key>Label</key>{}\n<key>ProgramArguments</key><array>{}</array>\n\
         <key>RunAtLoad</key><true/>\n</dict></plist>\n",
        string(name),
        words.collect::<String>(),
    )
}

fn string(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<string>{text}</string>")
}
