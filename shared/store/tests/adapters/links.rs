//! Contract tests of the image signer.

use ferrite_aws::testing::emulator_config;
use ferrite_store::ImageSigner;

ferrite_domain::image_link_contract!(ImageSigner::new(&emulator_config(), "bucket").await.expect("should have credentials"));
