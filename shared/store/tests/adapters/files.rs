//! Contract tests of the image bucket, with a client that uploads and downloads objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use ferrite_aws::testing::emulator_config;
use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::{IdGenerator, PortError};
use ferrite_domain::contract::files::ImageFileStoreUnderTest;
use ferrite_domain::ports::{ImageFiles, Upload};
use ferrite_domain::{ImageId, ProductId, VariantName};
use ferrite_store::{ImageBucket, UploadKey};
use tokio::sync::OnceCell;

struct TestBucket {
    client: Client,
    name: String,
    adapter: ImageBucket,
}

async fn test_bucket() -> TestBucket {
    static NAME: OnceCell<String> = OnceCell::const_new();
    // The client acts as the admin's browser, so it has no timeouts.
    let path_style = aws_sdk_s3::config::Builder::from(&emulator_config()).force_path_style(true);
    let client = Client::from_conf(path_style.timeout_config(TimeoutConfig::disabled()).build());
    let create = || async {
        let name = format!("adapters-{}", UniqueIds.new_id());
        client.create_bucket().bucket(&name).send().await.expect("should create the bucket");
        name
    };
    let name = NAME.get_or_init(create).await.clone();
    TestBucket { adapter: ImageBucket::new(&emulator_config(), name.clone()), client, name }
}

impl ImageFiles for TestBucket {
    async fn read_upload(&self, product: ProductId, image: ImageId) -> Result<Option<Upload>, PortError> {
        self.adapter.read_upload(product, image).await
    }

    async fn write_variant(
        &self,
        product: ProductId,
        image: ImageId,
        variant: VariantName,
        jpeg: Vec<u8>,
    ) -> Result<(), PortError> {
        self.adapter.write_variant(product, image, variant, jpeg).await
    }
}

impl ImageFileStoreUnderTest for TestBucket {
    async fn upload(&self, product: ProductId, image: ImageId, bytes: Vec<u8>, content_type: &str) {
        let key = UploadKey { product, image }.to_string();
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        put.body(ByteStream::from(bytes)).send().await.expect("should upload the object");
    }

    async fn fetch(&self, product: ProductId, image: ImageId, variant: VariantName) -> Option<Vec<u8>> {
        let key = format!("images/{product}/{image}/{}.jpg", variant.as_str());
        let object = self.client.get_object().bucket(&self.name).key(key).send().await.ok()?;
        Some(object.body.collect().await.ok()?.to_vec())
    }
}

ferrite_domain::image_file_store_contract!(test_bucket().await);
