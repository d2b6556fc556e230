//! The proxy of `scripts/chaos` without its faults: between an emulator's functions and the emulator, for its record.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ferrite_chaos::{Functions, Need, Plan, Proxy, Times};
use tokio::runtime::{Builder, Runtime};

use super::roles::Function;
use crate::trouble::{Trouble, at};

/// It listens as long as it lives.
pub struct Recorder {
    // Before the runtime that it runs on.
    proxy: Proxy,
    _runtime: Runtime,
}

impl Recorder {
    /// In front of the emulator on `port` of this machine.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn open(port: u16) -> Result<Self, Trouble> {
        let proxy = Path::new("the recording proxy's port");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(at(proxy))?;
        let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = runtime.block_on(Proxy::open(0, emulator, Plan::new(0))).map_err(at(proxy))?;
        Ok(Self { proxy, _runtime: runtime })
    }

    /// Where functions are to call AWS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.proxy.address.port()
    }

    /// Says whose calls are to be recorded, once they are deployed, and forgets all that came before.
    pub fn introduce(&self, functions: &[Function]) {
        let mut known = Functions::default();
        for function in functions {
            known.insert(&function.name, &function.arn, &function.role_arn);
        }
        self.proxy.introduce(known);
        self.proxy.forget();
    }

    /// What was asked for since they were introduced, or since it was last taken.
    #[must_use]
    pub fn record(&self) -> BTreeMap<Need, Times> {
        self.proxy.record()
    }

    /// Begins anew.
    pub fn forget(&self) {
        self.proxy.forget();
    }
}
