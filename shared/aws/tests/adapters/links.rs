use ferrite_aws::ImageSigner;

use crate::config;

ferrite_domain::links_contract!(ImageSigner::new(&config(), "bucket").await.expect("there are credentials"));
