package coop.sahkar.worker.head;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.engine.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TextAssemblerTest {
    private static final String ALPHABET = "ab\u00e9\u20ac\ud83d\ude00x\u0939 ";

    /** Tokens 0, 1, 2 and so on are the pieces, in order. */
    private record Pieces(List<byte[]> pieces) implements Vocabulary {
        @Override
        public int size() {
            return pieces.size();
        }

        @Override
        public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
            return new int[0];
        }

        @Override
        public byte[] piece(int token) {
            return pieces.get(token);
        }

        @Override
        public boolean endsGeneration(int token) {
            return false;
        }
    }

    private static List<byte[]> split(byte[] bytes, Random random) {
        List<byte[]> pieces = new ArrayList<>();
        int at = 0;
        while (at < bytes.length) {
            int end = Math.min(bytes.length, at + random.nextInt(6));
            pieces.add(Arrays.copyOfRange(bytes, at, end));
            at = end;
        }
        return pieces;
    }

    private static String randomText(Random random, int most) {
        int[] points = ALPHABET.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(most + 1); n > 0; n--) {
            text.appendCodePoint(points[random.nextInt(points.length)]);
        }
        return text.toString();
    }

    /** What a reader who looks at the whole text would show: up to the stop complete first. */
    private static String cut(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String head = text.substring(0, end);
            int longest = 0;
            for (String stop : stops) {
                longest = head.endsWith(stop) ? Math.max(longest, stop.length()) : longest;
            }
            if (longest > 0) {
                return text.substring(0, end - longest);
            }
        }
        return text;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void howTextIsSplitChangesNothing(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            String text = randomText(random, 30);
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                String stop = randomText(random, 4);
                if (!stop.isEmpty()) {
                    stops.add(stop);
                }
            }
            String expected = cut(text, stops);
            List<byte[]> pieces = split(text.getBytes(UTF_8), random);
            StringBuilder shown = new StringBuilder();
            TextAssembler assembler = new TextAssembler(new Pieces(pieces), stops, 0);
            for (int token = 0; token < pieces.size() && !assembler.stopped(); token++) {
                String delta = assembler.accept(token);
                assertThat(delta).doesNotContain("\ufffd");
                shown.append(delta);
                assertThat(expected).startsWith(shown.toString());
            }
            shown.append(assembler.finish());
            assertThat(shown.toString()).as("%s without %s", text, stops).isEqualTo(expected);
            assertThat(assembler.stopped()).isEqualTo(!expected.equals(text));
            String delivered =
                    expected.substring(
                            0,
                            expected.offsetByCodePoints(
                                    0, expected.codePointCount(0, expected.length()) / 2));
            assertThat(resumed(pieces, stops, delivered))
                    .isEqualTo(expected.substring(delivered.length()));
        }
    }

    private static String resumed(List<byte[]> pieces, List<String> stops, String delivered) {
        TextAssembler assembler =
                new TextAssembler(new Pieces(pieces), stops, delivered.getBytes(UTF_8).length);
        StringBuilder shown = new StringBuilder();
        for (int token = 0; token < pieces.size(); token++) {
            shown.append(assembler.accept(token));
        }
        return shown.append(assembler.finish()).toString();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void brokenBytesBecomeReplacementCharactersAsInTheWhole(long seed) {
        Random random = new Random(seed);
        byte[] odd = {
            'a',
            (byte) 0xC3,
            (byte) 0xA9,
            (byte) 0xE2,
            (byte) 0x82,
            (byte) 0xF0,
            (byte) 0x9F,
            (byte) 0xFF,
            (byte) 0xED
        };
        for (int round = 0; round < 2000; round++) {
            byte[] bytes = new byte[random.nextInt(12)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = odd[random.nextInt(odd.length)];
            }
            List<byte[]> pieces = split(bytes, random);
            String whole = new String(bytes, UTF_8);
            assertThat(resumed(pieces, List.of(), "")).isEqualTo(whole);
            assertThat(resumed(pieces, List.of(), whole)).isEmpty();
        }
    }

    @Test
    void aStopAcrossTokensIsNeverShownNotEvenItsBeginning() {
        List<byte[]> pieces =
                List.of("Hi <".getBytes(UTF_8), "|en".getBytes(UTF_8), "d|> more".getBytes(UTF_8));
        TextAssembler assembler = new TextAssembler(new Pieces(pieces), List.of("<|end|>"), 0);
        assertThat(assembler.accept(0)).isEqualTo("Hi ");
        assertThat(assembler.accept(1)).isEmpty();
        assertThat(assembler.stopped()).isFalse();
        assertThat(assembler.accept(2)).isEmpty();
        assertThat(assembler.stopped()).isTrue();
        assertThat(assembler.finish()).isEmpty();
    }

    @Test
    void whatOnlyLookedLikeAStopIsShownAfterAll() {
        List<byte[]> pieces = List.of("aaa".getBytes(UTF_8), "ac".getBytes(UTF_8));
        TextAssembler assembler = new TextAssembler(new Pieces(pieces), List.of("aab!"), 0);
        assertThat(assembler.accept(0)).isEqualTo("a");
        assertThat(assembler.accept(1)).isEqualTo("aaac");
    }

    @Test
    void anUnfinishedCharacterIsReplacedAtTheEndOnly() {
        List<byte[]> pieces = List.of(new byte[] {'a', (byte) 0xE2}, new byte[] {(byte) 0x82});
        TextAssembler assembler = new TextAssembler(new Pieces(pieces), List.of(), 0);
        assertThat(assembler.accept(0)).isEqualTo("a");
        assertThat(assembler.accept(1)).isEmpty();
        assertThat(assembler.finish()).isEqualTo("\ufffd");
    }
}
