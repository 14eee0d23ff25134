//! Whom the small requests beside the load trust: those that ask whether a service is ready, and for its metrics page.
//!
//! A service of this machine may show any certificate. Elsewhere the scenario says: the bundled roots, `tls_ca` too, or
//! anybody (`tls_insecure`), as for the load itself.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::ClientConfig;

use crate::load::{generator::Error, http::tls, scenario::Transport};

/// What a scenario says about certificates; by default only the bundled roots are trusted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    config: Option<Arc<ClientConfig>>,
}

impl Trust {
    /// What `tls_ca` (relative to `folder`) and `tls_insecure` say.
    ///
    /// # Errors
    /// When the file of the user's certificate cannot be read or holds none.
    pub fn of(transport: &Transport, folder: &Path) -> Result<Self, Error> {
        if transport.tls_ca.is_none() && !transport.tls_insecure {
            return Ok(Self::default());
        }
        let ca = transport.tls_ca.as_ref().map(|path| folder.join(path));
        let connector = tls::connector(ca.as_deref(), transport.tls_insecure, false)?;
        Ok(Self { config: Some(Arc::clone(connector.config())) })
    }

    /// The settings of a connection; `None` for the bundled roots.
    pub(super) fn config(&self) -> Option<&Arc<ClientConfig>> {
        self.config.as_ref()
    }
}
