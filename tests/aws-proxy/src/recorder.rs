//! The proxy on a runtime of its own, for programs that only want its record.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::runtime::{Builder, Runtime};

use crate::functions::Functions;
use crate::proxy::{ForwardAll, Proxy};
use crate::record::{UseCounts, UsedPermission};

/// Records the permissions that functions use, for as long as it lives.
pub struct Recorder {
    // Dropped before the runtime that it runs on.
    proxy: Proxy<ForwardAll>,
    _runtime: Runtime,
}

impl Recorder {
    /// Opens the proxy in front of the emulator on `port` of this machine.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn open(port: u16) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = runtime.block_on(Proxy::open(0, emulator, ForwardAll))?;
        Ok(Self { proxy, _runtime: runtime })
    }

    /// The port that functions are to call AWS on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.proxy.address.port()
    }

    /// Sets the functions whose calls are recorded, and starts a new record.
    pub fn set_functions(&self, functions: Functions) {
        self.proxy.set_functions(functions);
        self.proxy.clear_record();
    }

    /// The permissions that were used since the record was started.
    #[must_use]
    pub fn record(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.proxy.record()
    }

    /// Starts a new record.
    pub fn clear_record(&self) {
        self.proxy.clear_record();
    }
}
