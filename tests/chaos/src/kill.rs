//! Kills the process at the other end of a connection, to simulate that Lambda can stop a function at any time.

use std::net::SocketAddr;

use ferrite_aws_proxy::proxy::Connection;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Kills the function at the other end of a connection. Returns `false` if its process is not found on this machine or is
/// this process.
pub(crate) fn kill_function(connection: Connection) -> bool {
    let owner = owner(connection).filter(|process| *process != std::process::id());
    let process = owner.and_then(|process| i32::try_from(process).ok()).map(Pid::from_raw);
    process.is_some_and(|process| kill(process, Signal::SIGKILL).is_ok())
}

/// Finds the process that owns the function's socket (proc_pid_net(5), proc_pid_fd(5)).
#[cfg(target_os = "linux")]
fn owner(connection: Connection) -> Option<u32> {
    use std::fs;
    use std::path::Path;

    let sockets = fs::read_to_string("/proc/net/tcp").ok()?;
    let ends = [hex(connection.function)?, hex(connection.proxy)?];
    let inode = sockets.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        (fields.next()? == ends[0] && fields.next()? == ends[1]).then(|| fields.nth(6)).flatten()
    })?;
    let socket = format!("socket:[{inode}]");
    let mut processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    processes.find_map(|process| {
        let mut files = fs::read_dir(process.join("fd")).ok()?.flatten();
        files.find(|file| fs::read_link(file.path()).is_ok_and(|link| link == Path::new(&socket)))?;
        process.file_name()?.to_str()?.parse().ok()
    })
}

/// Finds the process that owns the function's socket with lsof(8).
#[cfg(not(target_os = "linux"))]
fn owner(connection: Connection) -> Option<u32> {
    use std::process::Command;

    let filter = format!("-iTCP@{}", connection.proxy);
    let listed = Command::new("lsof").args(["-nP", "-F", "pn", "-sTCP:ESTABLISHED", &filter]).output().ok()?;
    let listed = String::from_utf8(listed.stdout).ok()?;
    let socket_line = format!("n{}->{}", connection.function, connection.proxy);
    let mut process = None;
    listed.lines().find_map(|line| match line.strip_prefix('p') {
        Some(id) => {
            process = id.parse().ok();
            None
        }
        None => process.filter(|_| line == socket_line),
    })
}

/// Formats an address as in /proc/net/tcp, which lists only IPv4 sockets.
#[cfg(target_os = "linux")]
fn hex(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn kills_the_process_at_the_other_end_but_not_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; read -u 3", listener.local_addr().unwrap().port());
        let mut function_process = Command::new("bash").args(["-c", &script]).spawn().unwrap();
        let proxy = listener.local_addr().unwrap();
        let (_connection, function) = listener.accept().unwrap();
        assert!(kill_function(Connection { function, proxy }));
        assert_eq!(function_process.wait().unwrap().signal(), Some(9));

        let _own_connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_connection, function) = listener.accept().unwrap();
        assert!(!kill_function(Connection { function, proxy }));
    }
}
