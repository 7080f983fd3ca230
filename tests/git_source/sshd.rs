//! An SSH server for git: Debian's `sshd`, one process a connection, on a free port, with keys of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where `sshd` lies; it has to be started by its whole path.
const PROGRAM: &str = "/usr/sbin/sshd";

/// Where `sshd` goes to when root starts it. Debian makes the folder when the service starts.
const ROOM: &str = "/run/sshd";

pub(crate) struct Sshd {
    folder: TempDir,
    address: SocketAddr,
    manners: Arc<Mutex<Manners>>,
    task: JoinHandle<()>,
}

/// How the server behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    /// Takes connections and says nothing.
    pub(crate) hangs: bool,
    /// Does not take the variable by which version 2 of the protocol is asked for.
    pub(crate) version_0: bool,
    /// Hangs up at once.
    pub(crate) hangs_up: bool,
    /// How many connections there were.
    pub(crate) connections: usize,
}

/// Whether there is an `sshd` to test with; says why not.
pub(crate) fn is_there() -> bool {
    if !Path::new(PROGRAM).exists() {
        println!("skipped: {PROGRAM} is not installed (package openssh-server)");
        return false;
    }
    if whoami() == "root" && fs::create_dir_all(ROOM).is_err() {
        println!("skipped: {ROOM}, which sshd needs under root, cannot be created");
        return false;
    }
    true
}

impl Sshd {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "user", "stranger"] {
            keygen(&folder.path().join(name), &["-N", ""]);
        }
        keygen(&folder.path().join("locked"), &["-N", "a passphrase"]);
        fs::copy(folder.path().join("user.pub"), folder.path().join("authorized")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let manners: Arc<Mutex<Manners>> = Arc::default();
        let (shared, root) = (Arc::clone(&manners), folder.path().to_owned());
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let manners = {
                    let mut manners = shared.lock().unwrap();
                    manners.connections += 1;
                    *manners
                };
                if manners.hangs {
                    silent.push(stream);
                    continue;
                }
                if manners.hangs_up {
                    continue;
                }
                let stream = stream.into_std().unwrap();
                stream.set_nonblocking(false).unwrap();
                serve(&root, stream, manners.version_0);
            }
        });
        Self { folder, address, manners, task }
    }

    /// The address of a repository, for the one user there is.
    pub(crate) fn url(&self, repository: &Path) -> String {
        format!("ssh://{}@{}{}", whoami(), self.address, repository.display())
    }

    /// A file in the server's folder: `user`, `stranger` and `locked` are private keys.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A `known_hosts` with the host's key, or that of another one.
    pub(crate) fn known_hosts(&self, key: &str) -> PathBuf {
        let key = fs::read_to_string(self.file(&format!("{key}.pub"))).unwrap();
        let path = self.file("known hosts, 100%");
        let line = format!("[{}]:{} {key}", self.address.ip(), self.address.port());
        fs::write(&path, line).unwrap();
        path
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.manners.lock().unwrap());
    }

    pub(crate) fn connections(&self) -> usize {
        self.manners.lock().unwrap().connections
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Hands a connection to an `sshd` of its own, as inetd would.
fn serve(root: &Path, stream: std::net::TcpStream, version_0: bool) {
    let path = |name: &str| root.join(name).display().to_string();
    let accepted = if version_0 { "NOTHING" } else { "GIT_PROTOCOL" };
    let search = std::env::var("PATH").unwrap();
    let config = format!(
        "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nPermitRootLogin yes\nAcceptEnv {accepted}\nSetEnv PATH=\"{search}\"\nPidFile none\n",
        path("host"),
        path("authorized"),
    );
    let file = root.join(format!("sshd-{accepted}"));
    fs::write(&file, config).unwrap();
    let input = stream.try_clone().unwrap();
    let mut child = Command::new(PROGRAM)
        .args(["-i", "-e", "-f"])
        .arg(&file)
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(input)))
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(stream)))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It ends with its connection.
    std::thread::spawn(move || child.wait());
}

fn keygen(file: &Path, arguments: &[&str]) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", "test", "-f"])
        .arg(file)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success());
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
