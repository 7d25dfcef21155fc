import pickle

import pytest
import torch
from data_sets import NumberedSamples
from torch.utils.data import DataLoader

from {{ cookiecutter.project_slug }}.datasets.batches import TensorBatches
from {{ cookiecutter.project_slug }}.datasets.splits import SPLITS


def everything(batches) -> tuple[torch.Tensor, torch.Tensor]:
    """Join the batches of one pass."""
    inputs, labels = zip(*batches, strict=True)
    return torch.cat(inputs), torch.cat(labels)


@pytest.fixture
def data():
    numbered = NumberedSamples()
    numbered.prepare_data()
    return numbered


@pytest.mark.parametrize("split", SPLITS)
def test_a_set_too_large_for_memory_streams_the_same_samples(data, split):
    streamed = NumberedSamples(num_workers=2, memory_limit_mb=0)
    loader = getattr(streamed, f"{split}_dataloader")()
    in_memory = getattr(data, f"{split}_dataloader")()
    assert isinstance(loader, DataLoader)
    assert isinstance(in_memory, TensorBatches)
    assert len(loader) == len(in_memory)
    inputs, labels = everything(loader)
    expected_inputs, expected_labels = everything(in_memory)
    assert torch.equal(labels, expected_labels) == (split != "train")  # that one is shuffled
    rows = torch.column_stack([labels, inputs.flatten(1)])
    expected_rows = torch.column_stack([expected_labels, expected_inputs.flatten(1)])
    assert torch.equal(rows.unique(dim=0), expected_rows.unique(dim=0))


def test_workers_are_sent_where_the_samples_are_rather_than_the_samples(data):
    loader = NumberedSamples(memory_limit_mb=0).train_dataloader()
    sent = pickle.dumps((loader.dataset, loader.collate_fn))  # as macOS and Windows start them
    assert data.arrays("train")[0][:5].tobytes() not in sent


def numbered(count: int, **options) -> TensorBatches:
    """Make batches of samples that are told apart by their labels."""
    labels = torch.arange(count)
    return TensorBatches(labels[:, None], labels, 4, **options)


def test_each_pass_is_shuffled_anew_and_covers_each_sample_once():
    batches = numbered(10, shuffle=True)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    (inputs, first), (_, second) = everything(batches), everything(batches)
    assert first.tolist() != second.tolist()
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert inputs.flatten().tolist() == first.tolist()  # samples stay with their labels


def test_without_shuffling_the_order_is_kept():
    assert everything(numbered(10))[1].tolist() == list(range(10))


@pytest.mark.parametrize("count", [8, 9, 16, 17, 23])
@pytest.mark.parametrize("shuffle", [True, False])
def test_processes_share_a_pass(count, shuffle):
    shards = [numbered(count, shuffle=shuffle, rank=rank, processes=2) for rank in (0, 1)]
    passes = [list(shard) for shard in shards]
    assert [len(batches) for batches in passes] == [len(shard) for shard in shards]
    labels = [label for batches in passes for label in everything(batches)[1].tolist()]
    assert len(labels) == len(set(labels)) == (count - count % 2 if shuffle else count)
    if shuffle:  # gradients are exchanged at each step, so both processes need as many
        assert len(passes[0]) == len(passes[1])
