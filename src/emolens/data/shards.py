"""Prepared crops on disk: a folder of Parquet shards, and a manifest that says what they must hold."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emolens.card import Crop, Input
from emolens.data.samples import Objective
from emolens.errors import ConfigError, DataError, MissingExtraError
from emolens.files import written_whole

if TYPE_CHECKING:
    import pyarrow

MANIFEST = "prepared.json"

_KEY = b"emolens.key"
_MOST_MANIFEST_BYTES = 16 << 20
_MOST_SHARD_BYTES = 1 << 30
_REMEDY = "the same `emolens data prepare` makes it again"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LeftOut(_Part):
    """What the reader of the source left out, as in a `Dataset`."""

    left_out: dict[str, Annotated[int, Field(gt=0)]] = {}
    faults: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _faults_are_counted(self) -> Self:
        if not set(self.faults) <= set(self.left_out):
            raise ValueError("names faults that it does not count")
        return self


class Manifest(_Part):
    """What a preparation makes, written before its first shard and never changed.

    Attributes:
        format: of the folder.
        dataset: the reader of the source.
        labels: of the targets, in order.
        objective: of the targets.
        input: of the crops.
        crop: how boxes were cut.
        samples: how many there are.
        shard_rows: how many of them are in every shard but the last.
        key: a hash of all of this and of every sample; each shard bears it, too.
        left_out: of the whole source.
        left_out_of: of each of its splits.
    """

    format: Literal[1] = 1
    dataset: str
    labels: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]
    objective: Objective
    input: Input
    crop: Crop
    samples: Annotated[int, Field(gt=0, le=100_000_000)]
    shard_rows: Annotated[int, Field(gt=0, le=4096)]
    key: str
    left_out: LeftOut
    left_out_of: dict[str, LeftOut]

    @property
    def shards(self) -> range:
        """The indices of the shards."""
        return range(-(-self.samples // self.shard_rows))

    def rows(self, shard: int) -> range:
        """The samples of a shard."""
        start = shard * self.shard_rows
        return range(start, min(start + self.shard_rows, self.samples))


def shard_path(folder: Path, index: int) -> Path:
    """Where a shard is."""
    return folder / f"{index:05}.parquet"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes it, whole or not at all; makes the folder.

    Raises:
        ConfigError: the folder cannot be made.
    """
    path = folder / MANIFEST
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as unfinished:
            unfinished.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written to: {error.strerror}; choose another --out") from None


def read_manifest(folder: Path) -> Manifest:
    """What the shards of a folder must hold.

    Raises:
        DataError: there is none, or it is no manifest.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_MANIFEST_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"{folder} holds no prepared dataset ({MANIFEST}: {error.strerror}); make one with `emolens data prepare`"
        ) from None
    if len(content) > _MOST_MANIFEST_BYTES:
        raise DataError(f"{path} is larger than any manifest; prepare the dataset anew")
    try:
        return Manifest.model_validate(json.loads(content))
    except (ValidationError, ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise DataError(f"{path} is no manifest of a prepared dataset: {reason}; prepare the dataset anew") from None


def write_shard(folder: Path, index: int, manifest: Manifest, rows: Sequence[dict[str, Any]]) -> None:
    """Writes a shard, whole or not at all; each row has the fields of `_schema`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=_schema(manifest))
    with written_whole(shard_path(folder, index)) as unfinished:
        pq.write_table(table, unfinished, compression="zstd", write_page_checksum=True)


def read_shard(folder: Path, index: int, manifest: Manifest) -> list[dict[str, Any]]:
    """The rows of a shard, of which every page has been checked against its checksum.

    Raises:
        DataError: it is missing or damaged, or is not what the manifest asks for.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("evaluate", "to read prepared datasets") from None
    path = shard_path(folder, index)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            # Before anything is read: the names and types of the columns, and how large they become.
            sizes = [file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups)]
            expected = file.schema_arrow.equals(_schema(manifest)) and _KEY in (file.schema_arrow.metadata or {})
            if not expected or file.schema_arrow.metadata[_KEY] != manifest.key.encode():
                raise DataError(f"{path} belongs to another preparation; {_REMEDY}")
            if file.metadata.num_rows != len(manifest.rows(index)) or sum(sizes) > _MOST_SHARD_BYTES:
                raise DataError(f"{path} has not as many rows or bytes as it should; {_REMEDY}")
            rows: list[dict[str, Any]] = file.read().to_pylist()
    except (ValueError, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be read: {reason}; {_REMEDY}") from None
    return rows


def _schema(manifest: Manifest) -> "pyarrow.Schema":
    import pyarrow as pa

    fields = [
        pa.field("name", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("target", pa.list_(pa.float32(), len(manifest.labels)), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("image", pa.binary()),  # null where it could not be read; then `fault` says why
        pa.field("fault", pa.string()),
    ]
    return pa.schema(fields, {_KEY: manifest.key.encode()})
