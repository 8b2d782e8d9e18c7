package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.bench.SteadyReaders.Heard;
import coop.sahkar.deploy.bench.SteadyReaders.OtherWords;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.proto.v1.TokenChance;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/**
 * Judges answers in other words: at the token where one parts from a known answer, the pool is
 * asked how likely either was. Sums of wider batches are rounded otherwise, which may turn tokens
 * that are nearly even; a token that was far from being chosen betrays a fault.
 */
final class NearTies {
    /** The chosen token and so many candidates are told. */
    private static final int CHANCES = 1 + 20;

    private static final int TIMEOUT_SECONDS = 30;

    private final Channel coordinator;
    private final String modelId;

    /**
     * @param coordinator one that serves
     */
    NearTies(Channel coordinator, String modelId) {
        this.coordinator = coordinator;
        this.modelId = modelId;
    }

    /**
     * By how much the chances of the two tokens differ at which an answer parts from a known one:
     * the difference of their logits, and 0 where both are as likely. Of several known answers the
     * one that goes along the longest counts.
     *
     * @return nothing if one of them is not among the likeliest
     */
    OptionalDouble gap(OtherWords other) {
        Heard nearest =
                other.known().stream()
                        .max(Comparator.comparingInt(known -> common(known, other.answer())))
                        .orElseThrow();
        String before = before(nearest, common(nearest, other.answer()));
        List<TokenChance> chances = chances(other.prompt() + before);
        OptionalDouble known = likeliest(chances, nearest.text().substring(before.length()), "");
        OptionalDouble answer =
                likeliest(
                        chances,
                        other.answer().text().substring(before.length()),
                        nearest.text().substring(before.length()));
        return known.isPresent() && answer.isPresent()
                ? OptionalDouble.of(Math.abs(known.getAsDouble() - answer.getAsDouble()))
                : OptionalDouble.empty();
    }

    private static int common(Heard one, Heard other) {
        String a = one.text();
        String b = other.text();
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            if (a.charAt(i) != b.charAt(i)) {
                return i;
            }
        }
        return length;
    }

    /** The whole pieces of an answer within so many characters. */
    private static String before(Heard answer, int chars) {
        StringBuilder text = new StringBuilder();
        for (String piece : answer.pieces()) {
            if (text.length() + piece.length() > chars) {
                break;
            }
            text.append(piece);
        }
        return text.toString();
    }

    /** Of the tokens that a text may begin with, and another does not, the likeliest. */
    private static OptionalDouble likeliest(List<TokenChance> chances, String text, String butNot) {
        return chances.stream()
                .filter(chance -> begins(text, chance))
                .filter(chance -> butNot.isEmpty() || !begins(butNot, chance))
                .mapToDouble(TokenChance::getLogProbability)
                .max();
    }

    /** An answer that has ended goes on with the token that ends it, which has no text. */
    private static boolean begins(String text, TokenChance chance) {
        String token = chance.getPiece().toStringUtf8();
        return text.isEmpty() ? token.isEmpty() : !token.isEmpty() && text.startsWith(token);
    }

    private List<TokenChance> chances(String prompt) {
        GenerateRequest request =
                GenerateRequest.newBuilder()
                        .setModel(modelId)
                        .setPrompt(prompt)
                        .setMaxTokens(1)
                        .setSampling(SamplingMessage.newBuilder().setChances(CHANCES))
                        .build();
        try {
            Iterator<GenerationEvent> events =
                    GenerationGrpc.newBlockingStub(coordinator)
                            .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                            .generate(request);
            List<TokenChance> chances = new ArrayList<>();
            events.forEachRemaining(event ->
                    event.getDelta()
                            .getChancesList()
                            .forEach(of -> chances.addAll(of.getChancesList())));
            return chances;
        } catch (StatusRuntimeException e) {
            throw new BenchException("The chances of tokens cannot be asked.", e);
        }
    }

    /**
     * All of them.
     *
     * @param unlikely how many began with a token that was not among the likeliest
     * @param gaps of the others, ascending
     */
    record Verdict(int unlikely, List<Double> gaps) {
        double largest() {
            return gaps.isEmpty() ? 0 : gaps.getLast();
        }
    }

    Verdict judge(List<OtherWords> others) {
        int unlikely = 0;
        List<Double> gaps = new ArrayList<>();
        for (OtherWords other : others) {
            OptionalDouble gap = gap(other);
            if (gap.isPresent()) {
                gaps.add(gap.getAsDouble());
            } else {
                unlikely++;
            }
        }
        gaps.sort(Comparator.naturalOrder());
        return new Verdict(unlikely, List.copyOf(gaps));
    }
}
