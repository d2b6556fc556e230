//! Names that differ between AWS partitions, such as the commercial one and China.

/// Reports ARNs and host names in the text of a template that are valid only in one partition. The names of service
/// principals are the same in all partitions.
#[must_use]
pub fn fixed_names(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .filter_map(|(number, line)| {
            if line.contains("arn:aws") {
                Some(format!("{file}:{number}: replace `arn:aws` with `arn:${{AWS::Partition}}`"))
            } else if line.contains("amazonaws.com") && !line.contains("{Service: ") {
                Some(format!("{file}:{number}: replace `amazonaws.com` with `${{AWS::URLSuffix}}`"))
            } else {
                None
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arns_and_host_names_of_one_partition() {
        let text = "A: arn:${AWS::Partition}:s3:::b\nB: arn:aws:s3:::b\nPrincipal: {Service: lambda.amazonaws.com}\nC: https://x.amazonaws.com";
        let found = fixed_names("t.yaml", text);
        assert_eq!(
            found,
            [
                "t.yaml:2: replace `arn:aws` with `arn:${AWS::Partition}`",
                "t.yaml:4: replace `amazonaws.com` with `${AWS::URLSuffix}`",
            ]
        );
    }
}
