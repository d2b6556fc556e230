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
            } else if has_host_name(line) {
                Some(format!("{file}:{number}: replace `amazonaws.com` with `${{AWS::URLSuffix}}`"))
            } else {
                None
            }
        })
        .collect()
}

/// Whether a line contains a name in `amazonaws.com` that is not a service principal, such as `lambda.amazonaws.com`. The path of
/// a service-linked role contains the principal, too.
fn has_host_name(line: &str) -> bool {
    line.match_indices("amazonaws.com").any(|(start, _)| {
        let before = line[..start].strip_suffix('.').unwrap_or_default();
        let before = before.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '-');
        !before.ends_with([' ', '[', '"', '\'']) && !before.ends_with("role/aws-service-role/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arns_and_host_names_of_one_partition() {
        let text = "A: arn:${AWS::Partition}:s3:::b\nB: arn:aws:s3:::b\nPrincipal: {Service: lambda.amazonaws.com}\nC: https://x.amazonaws.com\n\
            D: x.eu-west-1.amazonaws.com\nE: role/aws-service-role/wafv2.amazonaws.com/*";
        let found = fixed_names("t.yaml", text);
        assert_eq!(
            found,
            [
                "t.yaml:2: replace `arn:aws` with `arn:${AWS::Partition}`",
                "t.yaml:4: replace `amazonaws.com` with `${AWS::URLSuffix}`",
                "t.yaml:5: replace `amazonaws.com` with `${AWS::URLSuffix}`",
            ]
        );
    }
}
