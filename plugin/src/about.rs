//! What hosts are told of the plugin, whatever the format.

pub(crate) const NAME: &str = "Headroom";
pub(crate) const VENDOR: &str = "Headroom";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const DESCRIPTION: &str =
    "An effects rack whose audio thread never allocates, locks or waits";
/// Frozen: CLAP hosts know the plugin by it.
pub(crate) const CLAP_ID: &str = "org.headroom.strip";
