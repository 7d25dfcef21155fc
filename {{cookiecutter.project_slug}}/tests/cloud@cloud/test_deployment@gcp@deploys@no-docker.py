from {{ cookiecutter.project_slug }}.cloud import provider


def test_the_function_is_deployed_from_its_source_with_its_requirements(shown):
    listing, deploy = shown("deploy")
    assert listing == ["dependency-groups", "--output", "requirements.txt", "serve"]
    assert deploy[:4] == ["gcloud", "functions", "deploy", provider.NAME]
    assert {*provider.place(), "--source=.", "--entry-point=handle"} < set(deploy)
    assert not any("unauthenticated" in word for word in deploy)  # Terraform says who may call it
    assert "--serve-all-traffic-latest-revision" in deploy  # after a rollback, too
