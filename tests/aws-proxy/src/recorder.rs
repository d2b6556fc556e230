//! The proxy on its own runtime, for programs that need only the record.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::runtime::{Builder, Runtime};

use crate::functions::Functions;
use crate::proxy::{ForwardAll, Proxy};
use crate::record::{UseCounts, UsedPermission};

/// Records the permissions that functions use. Dropping it stops the proxy.
pub struct Recorder {
    // Declared first so that it is dropped before its runtime.
    proxy: Proxy<ForwardAll>,
    _runtime: Runtime,
}

impl Recorder {
    /// Starts the proxy on a free port, in front of the emulator on `port` of the loopback interface.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub fn open(port: u16) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = runtime.block_on(Proxy::open(0, emulator, ForwardAll))?;
        Ok(Self { proxy, _runtime: runtime })
    }

    /// Port of the proxy, for the `AWS_ENDPOINT_URL` of functions.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.proxy.address.port()
    }

    /// Sets the functions whose calls are recorded, and clears the record.
    pub fn set_functions(&self, functions: Functions) {
        self.proxy.set_functions(functions);
        self.proxy.clear_record();
    }

    /// Returns the permissions that functions have used since the record was last cleared.
    #[must_use]
    pub fn record(&self) -> BTreeMap<UsedPermission, UseCounts> {
        self.proxy.record()
    }

    /// Clears the record.
    pub fn clear_record(&self) {
        self.proxy.clear_record();
    }
}
