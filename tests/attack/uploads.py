"""Uploaded files that are broken, or much larger than they look."""

import gzip
import io
import random
import struct
import zlib

from PIL import Image

from attack.bodies import LIMIT
from attack.client import form, upload
from attack.rules import attack, refused
from attack.samples import Samples
from attack.service import Project, check, counted

PART = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="'


def chunk(kind: bytes, data: bytes) -> bytes:
    """Write a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*more: bytes, width: int = 8, height: int = 8, pixels: bytes = b"\0" * 72) -> bytes:
    """Write a PNG file of grey pixels; `more` chunks stand before them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    end = chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + end


def picture(kind: str, **options: object) -> bytes:
    """Paint a picture of 64 x 64 pixels."""
    file = io.BytesIO()
    noise = random.Random(0).randbytes(64 * 64 * 3)
    Image.frombytes("RGB", (64, 64), noise).save(file, kind, **options)
    return file.getvalue()


def exif(kind: int, count: int = 1, value: bytes = b"\0\6\0\0", offset: int = 8) -> bytes:
    """Write EXIF data with an orientation of this type."""
    entry = struct.pack(">HHHI", 1, 0x0112, kind, count) + value + b"\0\0\0\0"
    return b"Exif\0\0MM\0*" + struct.pack(">I", offset) + entry


def table(samples: Samples) -> bytes:
    """Write a file with the example: a line of text, or a header and a row."""
    if samples.key == "texts":
        return str(samples.example).encode()
    values = ("" if value is None else str(value) for value in samples.example.values())
    return f"{','.join(samples.example)}\n{','.join(values)}\n".encode()


async def send_all(project: Project, *contents: bytes) -> str:
    """Send files one after the other; each is predicted or refused."""
    return counted([refused(await project.service.send(upload(c)), 200) for c in contents])


@attack(seconds=60)
async def mutated_files(project: Project) -> str:
    """Two thousand files with some bytes changed, cut out or put in: predicted or refused."""
    dice, files = random.Random(12), []
    if project.samples.key == "images":
        files += [picture("JPEG", progressive=on, exif=exif(3)) for on in (False, True)]
        files += [picture("PNG"), png(chunk(b"eXIf", exif(3)[6:]), chunk(b"tEXt", b"a\0b"))]
    else:
        files.append(table(project.samples))
    mutated = []
    for number in range(2000):
        content = bytearray(files[number % len(files)])
        for _ in range(dice.randint(1, 8)):
            at = dice.randrange(min(len(content), dice.choice([60, 600, 20_000])))
            content[at : at + dice.choice([0, 1, 1, 4])] = dice.randbytes(dice.choice([0, 1, 1, 4]))
        mutated.append(bytes(content))
    return await send_all(project, *mutated)


@attack(tasks=("images",))
async def half_a_picture(project: Project) -> str:
    """A picture that ends early is refused, not guessed."""
    halves = [content[: len(content) // 2] for content in (picture("PNG"), picture("JPEG"))]
    said = await send_all(project, *halves)
    check("200" not in said, said)
    return said


@attack(tasks=("images",))
async def broken_exif(project: Project) -> str:
    """Metadata that can't be read is ignored: the picture is predicted."""
    datas = [
        exif(3)[:12],  # ends early
        exif(3, offset=2**31),  # a directory far away
        exif(3, count=2**31),  # billions of orientations
        exif(2),  # a text
        exif(5, value=b"\0\0\0\x0a"),  # a fraction, of what follows
        exif(13),  # a type that is none
        exif(3, value=b"\0\x63\0\0"),  # an orientation that is none
        exif(3, 2, b"\0\6\0\6"),  # two of them
        exif(7, 4, b"\xff\xff\xff\xff"),  # bytes
        b"Exif\0\0XX\0*\0\0\0\x08",  # no byte order
        b"Exif\0\0",
    ]
    contents = [picture("JPEG", exif=data) for data in datas]
    contents += [png(chunk(b"eXIf", data[6:])) for data in datas]
    for text in (b"\nexif\n 4\nzzzz", b"\nexif\n", b"", b"\nexif\n 99\n4d4d002a"):
        contents.append(png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))))
    said = await send_all(project, *contents)
    check(said == f"{len(contents)} x 200", said)
    return said


@attack(tasks=("images",))
async def bombs_in_pictures(project: Project) -> str:
    """Compressed metadata that become 60 MB; one side of millions of pixels, ten at once."""
    bomb, small = (zlib.compress(bytes(size), 9) for size in (60_000_000, 1_000_000))
    contents = [
        png(chunk(b"zTXt", b"a\0\0" + bomb)),
        png(chunk(b"iTXt", b"a\0\1\0\0\0" + bomb)),
        png(chunk(b"iCCP", b"a\0\0" + bomb)),
        png(*(chunk(b"zTXt", b"a%d\0\0" % number + small) for number in range(63))),
        png(*(chunk(b"tEXt", b"a\0b") for _ in range(100_000))),
        png(width=1, height=20_000_000, pixels=bytes(40_000_000)),
        png(width=19_000, height=200, pixels=bytes(19_001 * 200)),
    ]
    long = upload(png(width=1, height=20_000_000, pixels=b""))
    answers = await project.service.together(*[long] * 10)
    return await send_all(project, *contents) + "; " + counted([refused(a, 200) for a in answers])


@attack(seconds=40)
async def odd_forms(project: Project) -> str:
    """Forms with 100,000 parts, without an end, with giant headers, names and boundaries."""
    requests = [
        upload(b"a", before=PART * 100_000),
        upload(b"a", before=FILE + b'a"\r\n\r\na\r\n' * 10_000),
        form(FILE + b'a"\r\n\r\n' + b"a"),
        form(FILE + b"a" * LIMIT),
        form(b"--b\r\n" + b"X-A: a\r\n" * 1_000_000 + b"\r\n\r\n--b--\r\n"),
        form(b"--b\r\nX-A: " + b"a" * LIMIT),
        form(b"\r\n" * (LIMIT // 2)),
        form(b"--" * (LIMIT // 2)),
        form(b""),
        form(b"").replace(b"=b", b"=" + b"b" * 5000),
        form(b"").replace(b"; boundary=b", b""),
        upload(b"a", name="a\\..\\x%00\u202e"),
        upload(b"\0" * LIMIT),
        upload(gzip.compress(bytes(1 << 29))),
    ]
    return counted([refused(await project.service.send(request), 200) for request in requests])


@attack(tasks=("texts", "rows"), seconds=40)
async def odd_tables(project: Project) -> str:
    """A million columns, a quote without an end, line ends only, more rows than are taken."""
    first, *rest = table(project.samples).split(b"\n")
    return await send_all(
        project,
        first + b"," + b",".join(b"c%d" % number for number in range(1_000_000)),
        first + b'\n"' + b"a" * LIMIT,
        first + b"\n" + b'""' * (LIMIT // 2),
        *(letter * LIMIT for letter in (b"\n", b"\r", b",", b"\xff", b'"', "가".encode()[:1])),
        first + b"\n" * (LIMIT - 1000),
        b"\n".join([first, *rest[:1] * 500_000])[:LIMIT],
        ("a" + "\u0316\u0301" * 1_000_000).encode(),
    )
