from {{ cookiecutter.project_slug }}.evaluation.speed import benchmark
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor


def test_the_benchmark_has_a_line_for_each_runtime_and_batch(configure, options, model, capsys):
    cfg = configure(
        *options,
        "benchmark.seconds=0.05",
        f"onnx={model}",
        "int8=nowhere.onnx",
        config="export",
    )
    lines, not_measured = benchmark(cfg)
    output = capsys.readouterr().out
    assert "Not measured: int8: there is no nowhere.onnx" in output
    assert [reason for reason in not_measured if "nowhere.onnx" in reason]
    for name in ("PyTorch, eager", "ONNX Runtime"):
        assert name in output
        assert [line.batch for line in lines if line.runtime == name] == [1, 64]
    assert all(0 < line.p50 <= line.p99 for line in lines)
    assert {round(line.quality, 4) for line in lines} == {
        round(Predictor(model).metrics["accuracy"], 4)
    }
