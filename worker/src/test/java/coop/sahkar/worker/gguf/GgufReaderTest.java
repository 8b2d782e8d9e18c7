package coop.sahkar.worker.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReaderTest {
    private static final int U32 = 4;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int F32 = 0;
    private static final int Q4_0 = 2;

    @TempDir Path folder;

    private static GgufHeader read(byte[] bytes) throws GgufException {
        return GgufReader.read(MemorySegment.ofArray(bytes), "test.gguf");
    }

    private static GgufBytes oneTensor(int type, long offset, long... shape) {
        return GgufBytes.header(3, 1, 0).tensor("a", type, offset, shape).data(64);
    }

    private static byte[] everyKindOfValue(int version) {
        return GgufBytes.header(version, 0, 14)
                .text("u8")
                .u32(0)
                .u8(255)
                .text("i8")
                .u32(1)
                .u8(255)
                .text("u16")
                .u32(2)
                .u8(0xFE)
                .u8(0xFF)
                .text("i16")
                .u32(3)
                .u8(0xFE)
                .u8(0xFF)
                .text("u32")
                .u32(4)
                .u32(-1)
                .text("i32")
                .u32(5)
                .u32(-1)
                .text("f32")
                .u32(6)
                .u32(Float.floatToIntBits(1.5f))
                .text("yes")
                .u32(7)
                .u8(1)
                .text("text")
                .u32(STRING)
                .text("सहकार")
                .text("nested")
                .u32(ARRAY)
                .u32(ARRAY)
                .u64(2)
                .u32(U32)
                .u64(2)
                .u32(1)
                .u32(2)
                .u32(STRING)
                .u64(1)
                .text("x")
                .text("u64")
                .u32(10)
                .u64(-1)
                .text("i64")
                .u32(11)
                .u64(-5)
                .text("f64")
                .u32(12)
                .u64(Double.doubleToLongBits(0.1))
                .text("none")
                .u32(ARRAY)
                .u32(STRING)
                .u64(0)
                .done();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void readsEveryKindOfValue(int version) throws GgufException {
        Metadata metadata = read(everyKindOfValue(version)).metadata();
        assertThat(metadata.whole("u8")).hasValue(255);
        assertThat(metadata.whole("i8")).hasValue(-1);
        assertThat(metadata.whole("u16")).hasValue(65_534);
        assertThat(metadata.whole("i16")).hasValue(-2);
        assertThat(metadata.whole("u32")).hasValue(4_294_967_295L);
        assertThat(metadata.whole("i32")).hasValue(-1);
        assertThat(metadata.value("f32")).contains(new MetadataValue.Real(ValueType.F32, 1.5));
        assertThat(metadata.value("yes")).contains(new MetadataValue.Flag(true));
        assertThat(metadata.text("text")).contains("सहकार");
        assertThat(metadata.whole("u64")).hasValue(-1);
        assertThat(metadata.whole("i64")).hasValue(-5);
        assertThat(metadata.value("f64")).contains(new MetadataValue.Real(ValueType.F64, 0.1));
        assertThat(metadata.sequenceLength("none")).isZero();
        assertThat(metadata.sequence("nested").orElseThrow().items())
                .containsExactly(
                        new MetadataValue.Sequence(ValueType.U32, wholes(1, 2)),
                        new MetadataValue.Sequence(
                                ValueType.STRING, List.of(new MetadataValue.Text("x"))));
    }

    private static List<MetadataValue> wholes(long... values) {
        return java.util.Arrays.stream(values)
                .mapToObj(value -> (MetadataValue) new MetadataValue.Whole(ValueType.U32, value))
                .toList();
    }

    @Test
    void builtMetadataReadsBackAsItWas() throws GgufException {
        MetadataValue.Sequence nested =
                new MetadataValue.Sequence(
                        ValueType.ARRAY,
                        List.of(new MetadataValue.Sequence(ValueType.U32, wholes(7, 8))));
        Metadata built =
                new MetadataBuilder()
                        .text("a", "über")
                        .u32("b", 5)
                        .f32("c", 0.25)
                        .flag("d", true)
                        .put("e", nested)
                        .u32("b", 6)
                        .build();
        Metadata read = Metadata.decode(built.encoded(), "built");
        assertThat(read).isEqualTo(built);
        assertThat(read.keys()).containsExactly("a", "b", "c", "d", "e");
        assertThat(read.whole("b")).hasValue(6);
        assertThat(read.value("e")).contains(nested);
        assertThat(new MetadataBuilder().copy(read, key -> true).build()).isEqualTo(built);
    }

    @Test
    void readsTensorsInPlace() throws IOException {
        Path path = folder.resolve("two.gguf");
        Files.write(
                path,
                GgufBytes.header(3, 2, 0)
                        .tensor("a", F32, 0, 2, 3)
                        .tensor("b", Q4_0, 32, 32, 1)
                        .data(64)
                        .done());
        try (GgufFile file = GgufFile.open(path)) {
            GgufTensor tensor = file.tensor("b").orElseThrow();
            assertThat(tensor.bytes()).isEqualTo(18);
            assertThat(file.data(tensor).asByteBuffer().get(0)).isEqualTo((byte) 32);
            assertThat(file.tensor("a").orElseThrow().shape()).containsExactly(2L, 3L);
            assertThat(file.alignment()).isEqualTo(32);
            assertThat(file.data(tensor).isReadOnly()).isTrue();
        }
    }

    @Test
    void aVocabularyOfManyTokensIsRead() throws GgufException {
        int tokens = 260_000;
        GgufBytes bytes = GgufBytes.header(3, 0, 1).text("t").u32(ARRAY).u32(STRING).u64(tokens);
        for (int i = 0; i < tokens; i++) {
            bytes.text("▁" + i);
        }
        Metadata metadata = read(bytes.done()).metadata();
        assertThat(metadata.sequenceLength("t")).isEqualTo(tokens);
        assertThat(metadata.sequence("t").orElseThrow().items().getLast())
                .isEqualTo(new MetadataValue.Text("▁259999"));
    }

    static Stream<Arguments> hostileHeaders() {
        long huge = Long.MAX_VALUE;
        GgufBytes deep = GgufBytes.header(3, 0, 1).text("deep").u32(ARRAY);
        for (int i = 0; i < 1000; i++) {
            deep.u32(ARRAY).u64(1);
        }
        return Stream.of(
                Arguments.of("ends inside the magic", new GgufBytes()),
                Arguments.of("does not begin with the letters", new GgufBytes().raw("GGML").u64(3)),
                Arguments.of("version 1", GgufBytes.header(1, 0, 0)),
                Arguments.of("big-endian", GgufBytes.header(0x0300_0000, 0, 0)),
                Arguments.of("claims 9223372036854775807 tensors", GgufBytes.header(3, huge, 0)),
                Arguments.of("claims 18446744073709551615 metadata", GgufBytes.header(3, 0, -1)),
                Arguments.of("claims 40000 tensors", GgufBytes.header(3, 40_000, 0).data(1 << 21)),
                Arguments.of("claims 70000 metadata", GgufBytes.header(3, 0, 70_000).data(1 << 20)),
                Arguments.of(
                        "a metadata key, which needs 9223372036854775807",
                        GgufBytes.header(3, 0, 1).u64(huge).data(64)),
                Arguments.of(
                        "a metadata key is not valid UTF-8",
                        GgufBytes.header(3, 0, 1).u64(2).u8(0xC3).u8(0x28).data(64)),
                Arguments.of(
                        "the value of k is not valid UTF-8",
                        GgufBytes.header(3, 0, 1).text("k").u32(STRING).u64(1).u8(0xFF)),
                Arguments.of(
                        "the type of k is 13",
                        GgufBytes.header(3, 0, 1).text("k").u32(13).data(64)),
                Arguments.of(
                        "the value of k is 2, which is neither",
                        GgufBytes.header(3, 0, 1).text("k").u32(7).u8(2).data(64)),
                Arguments.of(
                        "key k stands in it twice",
                        GgufBytes.header(3, 0, 2).text("k").u32(0).u8(1).text("k").u32(0).u8(1)),
                Arguments.of(
                        "elements in the value of k, more than",
                        GgufBytes.header(3, 0, 1).text("k").u32(ARRAY).u32(U32).u64(huge / 2)),
                Arguments.of("more than 4 deep", deep));
    }

    static Stream<Arguments> hostileTensors() {
        long huge = Long.MAX_VALUE;
        return Stream.of(
                Arguments.of("must be a power of two", alignment(U32, 0)),
                Arguments.of("must be a power of two", alignment(U32, 48)),
                Arguments.of("must be a power of two", alignment(U32, 1 << 30)),
                Arguments.of("must be a power of two", alignment(6, 32)),
                Arguments.of("has 0 dimensions", oneTensor(F32, 0)),
                Arguments.of("has 5 dimensions", oneTensor(F32, 0, 1, 1, 1, 1, 1)),
                Arguments.of("impossible shape", oneTensor(F32, 0, 0)),
                Arguments.of("impossible shape", oneTensor(F32, 0, -4, 2)),
                Arguments.of("impossible shape", oneTensor(F32, 0, 1L << 40, 1L << 40)),
                Arguments.of("impossible shape", oneTensor(Q4_0, 0, 33)),
                Arguments.of("has the type 4,", oneTensor(4, 0, 32)),
                Arguments.of("has the type 4294967295,", oneTensor(-1, 0, 32)),
                Arguments.of("no multiple of 32", oneTensor(F32, 4, 4)),
                Arguments.of("no multiple of 32", oneTensor(F32, -32, 4)),
                Arguments.of("past the end", oneTensor(F32, 0, 17)),
                Arguments.of("past the end", oneTensor(F32, huge - 31, 4)),
                Arguments.of(
                        "a tensor's name has 64 bytes",
                        GgufBytes.header(3, 1, 0).tensor("n".repeat(64), F32, 0, 4).data(64)),
                Arguments.of(
                        "the tensor a stands in it twice",
                        GgufBytes.header(3, 2, 0)
                                .tensor("a", F32, 0, 4)
                                .tensor("a", F32, 32, 4)
                                .data(64)),
                Arguments.of(
                        "the tensors a and b overlap",
                        GgufBytes.header(3, 2, 0)
                                .tensor("b", F32, 32, 4)
                                .tensor("a", F32, 0, 16)
                                .data(64)));
    }

    private static GgufBytes alignment(int type, int value) {
        return GgufBytes.header(3, 0, 1).text("general.alignment").u32(type).u32(value).data(64);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"hostileHeaders", "hostileTensors"})
    void hostileFilesGetASentence(String sentence, GgufBytes bytes) throws IOException {
        Path path = folder.resolve("hostile.gguf");
        Files.write(path, bytes.done());
        assertThatThrownBy(
                        () -> {
                            try (GgufFile file = GgufFile.open(path)) {
                                throw new AssertionError("was read: " + file.tensors());
                            }
                        })
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("hostile.gguf is not a usable GGUF file")
                .hasMessageContaining(sentence);
    }
}
