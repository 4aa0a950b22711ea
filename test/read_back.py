"""Reads every file of a folder with every reader that takes its format; prints what each of them sees, as one JSON text.

Instants are texts of microseconds since 1970: neither Python's datetime nor JSON holds all of them.
"""

import os

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq


def arrow_table(file):
    if file.endswith('.parquet'):
        return pq.read_table(file)
    if file.endswith('.arrows'):
        with pa.ipc.open_stream(file) as reader:
            return reader.read_all()
    with pa.ipc.open_file(file) as reader:
        return reader.read_all()


def by_pyarrow(file):
    table = arrow_table(file)
    table.validate(full=True)
    cells = []
    labels = {}
    for field, column in zip(table.schema, table.columns):
        if pa.types.is_timestamp(field.type):
            cells.append([None if v is None else str(v) for v in column.cast(pa.int64()).to_pylist()])
        else:
            cells.append(column.to_pylist())
        if pa.types.is_dictionary(field.type) and column.num_chunks > 0:
            labels[field.name] = column.chunks[-1].dictionary.to_pylist()
    types = [[field.name, str(field.type)] for field in table.schema]
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items() if k.startswith(b'alida')}
    fields = {f.name: {k.decode(): v.decode() for k, v in (f.metadata or {}).items()} for f in table.schema}
    return {'types': types, 'cells': cells, 'labels': labels, 'metadata': metadata, 'fieldMetadata': fields}


def by_pandas(file):
    if file.endswith('.parquet'):
        frame = pd.read_parquet(file)
    elif file.endswith('.arrows'):
        frame = arrow_table(file).to_pandas()
    else:
        frame = pd.read_feather(file)
    cells = []
    labels = {}
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            numbers = column.astype('int64')
            cells.append([None if missing else str(v) for v, missing in zip(numbers, column.isna())])
        elif column.dtype == object:
            cells.append([None if v is None else list(v) for v in column])
        else:
            cells.append([None if missing else v for v, missing in zip(column.tolist(), column.isna())])
        if isinstance(column.dtype, pd.CategoricalDtype):
            labels[name] = column.cat.categories.tolist()
    return {'types': [[name, str(frame[name].dtype)] for name in frame.columns], 'cells': cells, 'labels': labels}


def by_polars(file):
    if file.endswith('.parquet'):
        frame = pl.read_parquet(file)
    elif file.endswith('.arrows'):
        frame = pl.read_ipc_stream(file)
    else:
        frame = pl.read_ipc(file, memory_map=False)
    cells = []
    for column in frame.get_columns():
        if isinstance(column.dtype, pl.Datetime):
            cells.append([None if v is None else str(v) for v in column.to_physical().to_list()])
        else:
            cells.append(column.to_list())
    types = [[name, str(dtype).split('(categories')[0]] for name, dtype in frame.schema.items()]
    return {'types': types, 'cells': cells, 'labels': {}}


def attempt(read, file):
    try:
        return read(file)
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}


readers = {'pyarrow': by_pyarrow, 'pandas': by_pandas, 'polars': by_polars}
show({
    entry: {name: attempt(read, os.path.join(path, entry)) for name, read in readers.items()}
    for entry in sorted(os.listdir(path))
    if entry.endswith(('.parquet', '.arrow', '.arrows'))
})
