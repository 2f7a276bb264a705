using Amalgam.Transfer.Teaching;
using static Amalgam.Tests.Transfer.OfTeaching.NaiveTeaching;

namespace Amalgam.Tests.Transfer.OfTeaching;

/// <summary>Each way on the same two samples, with values that were computed apart in double precision, and on random ones against the formulas.</summary>
public class TeachingValueTests
{
    private const double CrossEntropyOfBoth = 0.8353360801243577;
    private const int Runs = 40;

    private static readonly double[][] S = [[2, 1, .5, -1], [0, 1.5, -.5, 1]], T = [[3, .5, 1, -2], [-1, 2, .5, 0]], Weak = [[1, 0, .5, 0], [.2, .4, 0, 1]];
    private static readonly int[] Y = [0, 3];

    public static TheoryData<string, double> Values => new()
    {
        { "kd temperature=1 alpha=1", 0.17062095269590416 },
        { "kd temperature=4 alpha=1", 0.32694539705209635 },
        { "kd temperature=20 alpha=1", 0.35215636635740344 },
        { "kd alpha=0.9", 0.3777844653593225 },
        { "kd temperature=20 alpha=0.7 mean=elements", 0.3122281881498529 },
        { "kd alpha=0", CrossEntropyOfBoth },
        { "dkd warmup=0 labels=0 beta=0", 0.1602346204007022 },
        { "dkd warmup=0 labels=0 alpha=0 beta=1", 0.23621724317833664 },
        { "dkd warmup=0 labels=0", 2.0499725658273955 },
        { "dkd warmup=0", 2.0499725658273955 + CrossEntropyOfBoth },
        { "dkd warmup=20", 2.0499725658273955 / 20 + CrossEntropyOfBoth },
        { "nkd gamma=0 labels=0", 0.25873727367293475 },
        { "nkd labels=0", 1.4831531481259619 },
        { "nkd", 1.4831531481259619 + CrossEntropyOfBoth },
        { "nkd temperature=3 gamma=3.5 labels=0", 33.23909883115392 },
        { "tf_kd_self mean=elements", 0.12540394101610125 },
        { "tf_kd_self", 0.3763153520457512 },
        { "tf_kd_reg", 0.0431016710135835 },
        { "tf_kd_reg softens=probabilities mean=elements", 0.13220262473481026 },
        { "tf_kd_reg softens=probabilities", 0.4035100869205873 },
        { "tf_kd_reg softens=probabilities mean=elements alpha=0.1 temperature=20 multiplier=100", 1.6894753164038776 },
        { "uskd", CrossEntropyOfBoth + 0.2905672744328259 },
        { "uskd alpha=1 beta=0 mu=0 labels=0", 0.7883665972196807 },
        { "uskd alpha=0 beta=1 mu=0 labels=0", 1.199887085166338 },
        { "uskd alpha=0 beta=1 mu=0 labels=0 ranking=log_probabilities", 1.199887085166338 },
        { "uskd alpha=0 beta=0 mu=0.1 labels=0", 0.09174190619422401 },
    };

    [Theory, MemberData(nameof(Values))]
    public void Values_are_those_that_were_computed_apart(string way, double expected)
    {
        Distillation loss = Parse(way);
        Lesson lesson = new(loss, Y, S, loss.MostTeachers == 0 ? null : T, loss is Uskd ? Weak : null);
        Assert.Equal(expected, lesson.Value, 2e-6 * expected);
    }

    [Theory]
    [InlineData("rkd distance=1 angle=0 labels=0", 0.0279368329695255)]
    [InlineData("rkd distance=0 angle=1 labels=0", 0.017579546567412015)]
    [InlineData("rkd labels=0", 1.5773981526087382)]
    public void Relations_are_those_that_were_computed_apart(string way, double expected)
    {
        double[][] ofStudent = [[0, 0], [3, 4], [6, 0]], ofTeacher = [[0, 0, 0], [1, 0, 0], [0, 2, 0]], none = [[0, 0], [0, 0], [0, 0]];
        Assert.Equal(expected, new Lesson(Parse(way), [0, 1, 0], none, none, ofStudent, ofTeacher).Value, 2e-6 * expected);
    }

    [Theory]
    [InlineData("kd")]
    [InlineData("rkd")]
    [InlineData("dkd")]
    [InlineData("nkd")]
    [InlineData("tf_kd_self")]
    [InlineData("tf_kd_reg")]
    [InlineData("uskd")]
    public void Values_and_gradients_are_those_of_the_formulas(string way) => Property.Holds(gen =>
    {
        Case c = new(gen.Random, scale: gen.Random.Next(3) == 0 ? 30 : 2);
        Distillation loss = c.Draw(way);
        Lesson lesson = c.Teach(loss);
        Func<double[][], double> formula = c.Formula(loss);
        double expected = formula(c.Features);
        Assert.Equal(expected, lesson.Value, 2e-6 * Math.Max(1, Math.Abs(expected)) * Case.Weight(loss));

        double[][] found = lesson.Gradient;
        const double Step = 1e-5;
        for (int n = 0; n < found.Length; n++)
        {
            for (int k = 0; k < found[n].Length; k++)
            {
                double At(double shift) => formula([.. c.Features.Select((row, i) => i != n ? row : [.. row.Select((v, j) => j == k ? v + shift : v)])]);
                double difference = (At(Step) - At(-Step)) / (2 * Step);
                Assert.True(Math.Abs(difference - found[n][k]) <= 5e-6 * Case.Weight(loss) * Math.Max(1, Math.Abs(difference)), $"{loss}: by feature {k} of sample {n} {found[n][k]}, differences give {difference}");
            }
        }
    }, Runs);

    /// <summary>Scores whose exponentials are no float numbers.</summary>
    [Theory]
    [InlineData("kd")]
    [InlineData("dkd")]
    [InlineData("nkd")]
    [InlineData("tf_kd_self")]
    [InlineData("tf_kd_reg")]
    [InlineData("uskd")]
    [InlineData("rkd")]
    public void Large_scores_do_no_harm(string way) => Property.Holds(gen =>
    {
        Case c = new(gen.Random, scale: 2e4);
        Distillation loss = c.Draw(way);
        Lesson lesson = c.Teach(loss);
        Assert.True(double.IsFinite(lesson.Value));
        Assert.All(lesson.Gradient, row => Assert.All(row, g => Assert.True(double.IsFinite(g), $"{loss}: {g}")));

        // Probabilities that are no float numbers have no ranks in float.
        if (loss is Uskd uskd) lesson = c.Teach(loss = uskd with { Beta = 0 });
        double expected = c.Formula(loss)(c.Features);
        Assert.Equal(expected, lesson.Value, 1e-5 * Math.Max(1, Math.Abs(expected)) * Case.Weight(loss));
    }, Runs);

    internal static Distillation Parse(string text)
    {
        string[] words = text.Split(' ');
        Distillation way = Distillation.Find(words[0])!;
        foreach (string[] option in words[1..].Select(word => word.Split('='))) way = way.Parameters.First(p => p.Name == option[0]).With(option[1])!;
        return way;
    }

    /// <summary>Random scores, features and parameters of a way.</summary>
    private sealed class Case
    {
        private readonly Random _random;
        private readonly int[] _y;
        private readonly double[][] _s, _t, _before, _teacherBefore;

        public Case(Random random, double scale)
        {
            _random = random;
            int samples = random.Next(1, 6), classes = random.Next(2, 7);
            double[][] Draw(int width, double size) => [.. Enumerable.Range(0, samples).Select(_ => Enumerable.Range(0, width).Select(_ => (double)(float)(size * (random.NextDouble() * 2 - 1))).ToArray())];
            _y = [.. Enumerable.Range(0, samples).Select(_ => random.Next(classes))];
            (_s, _t, _before, _teacherBefore) = (Draw(classes, scale), Draw(classes, scale), Draw(classes, scale), Draw(classes + 2, scale));
        }

        public double[][] Features => [.. _before.Zip(_s, (a, b) => (double[])[.. a, .. b])];

        public Distillation Draw(string way)
        {
            double Between(double low, double high) => Math.Round(low + (high - low) * _random.NextDouble(), 3);
            Distillation loss = Distillation.Find(way)!;
            return loss switch
            {
                Kd kd => kd with { Temperature = Between(0.5, 10), Alpha = Between(0, 1), Mean = (DistillationMean)_random.Next(2) },
                Rkd rkd => rkd with { Distance = Between(0, 3), Angle = Between(0, 3), Labels = Between(0, 1), Of = (RelationsOf)_random.Next(2) },
                Dkd dkd => dkd with { Temperature = Between(0.5, 6), Beta = Between(0, 4), Labels = Between(0, 2), WarmUp = 0 },
                Nkd nkd => nkd with { Temperature = Between(0.5, 4), Gamma = Between(0, 3), Labels = Between(0, 1) },
                TfKdSelf self => self with { Temperature = Between(0.5, 30), Multiplier = Between(0.5, 2), Mean = (DistillationMean)_random.Next(2) },
                TfKdReg reg => reg with { Temperature = Between(1, 50), Correct = Between(0.5, 0.99), Softens = (Softening)_random.Next(2), Mean = (DistillationMean)_random.Next(2) },
                Uskd uskd => uskd with { Alpha = Between(0, 1), Beta = Between(0, 1), Mu = Between(0, 1), Ranking = (ClassRanking)_random.Next(2), Labels = Between(0, 1) },
                _ => throw new ArgumentOutOfRangeException(nameof(way)),
            };
        }

        public Lesson Teach(Distillation loss) => new(loss, _y, _s, loss.MostTeachers == 0 ? null : _t, _before, _teacherBefore);

        /// <summary>By how much rounding of scores is carried into the value.</summary>
        public static double Weight(Distillation loss) => loss switch
        {
            Kd kd => 1 + kd.Temperature,
            TfKdSelf self => 1 + self.Temperature * self.Multiplier,
            Dkd dkd => (1 + dkd.Temperature) * (1 + dkd.Beta),
            Nkd nkd => (1 + nkd.Temperature * nkd.Temperature) * (1 + nkd.Gamma),
            Rkd => 10,
            _ => 2,
        };

        /// <summary>The loss as a function of the student's features, without a gradient through what is only looked at.</summary>
        public Func<double[][], double> Formula(Distillation loss)
        {
            int classes = _s[0].Length;
            double[][] Scores(double[][] features) => [.. features.Select(row => row[^classes..])];
            double[][] teacherFeatures = [.. _teacherBefore.Zip(_t, (a, b) => (double[])[.. a, .. b])];
            double[] ownWeights = OwnWeights(_s, _y);
            double[][] zipf = Zipf(_s, _before, _y, loss is Uskd { Ranking: ClassRanking.LogProbabilities });
            return features =>
            {
                double[][] s = Scores(features);
                double Mean(DistillationMean mean) => mean == DistillationMean.Elements ? classes : 1;
                return loss switch
                {
                    Kd kd => kd.Alpha * NaiveTeaching.Kd(s, _t, kd.Temperature) / Mean(kd.Mean) + (1 - kd.Alpha) * CrossEntropy(s, _y),
                    Rkd rkd => (_s.Length < 2 ? 0 : rkd.Of == RelationsOf.Features
                        ? rkd.Distance * Distances(features, teacherFeatures) + rkd.Angle * Angles(features, teacherFeatures)
                        : rkd.Distance * Distances(s, _t) + rkd.Angle * Angles(s, _t)) + rkd.Labels * CrossEntropy(s, _y),
                    Dkd dkd => dkd.Alpha * OwnPart(s, _t, _y, dkd.Temperature) + dkd.Beta * OthersPart(s, _t, _y, dkd.Temperature) + dkd.Labels * CrossEntropy(s, _y),
                    Nkd nkd => NaiveTeaching.Nkd(s, _t, _y, nkd.Temperature, nkd.Gamma) + nkd.Labels * CrossEntropy(s, _y),
                    TfKdSelf self => self.Alpha * self.Multiplier * NaiveTeaching.Kd(s, _t, self.Temperature) / Mean(self.Mean) + (1 - self.Alpha) * CrossEntropy(s, _y),
                    TfKdReg reg => NaiveTeaching.TfKdReg(s, _y, reg.Temperature, reg.Alpha, reg.Multiplier, reg.Correct, reg.Softens == Softening.Both, reg.Mean == DistillationMean.Elements),
                    Uskd uskd => NaiveTeaching.Uskd(s, [.. features.Select(row => row[..classes])], _y, ownWeights, zipf, uskd.Alpha, uskd.Beta, uskd.Mu) + uskd.Labels * CrossEntropy(s, _y),
                    _ => double.NaN,
                };
            };
        }
    }
}
