using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>How far a transfer run has come, with the training of each network by itself.</summary>
/// <param name="Share">Of the steps of the whole run those that are done.</param>
/// <param name="Networks">What trains now.</param>
/// <param name="Alone">Which of how many networks trains by itself; null while they train together.</param>
/// <param name="TimeLeft">Until the end of the whole run, at this speed.</param>
public readonly record struct TransferProgress(double Share, IReadOnlyList<(string Name, TrainingProgress Training)> Networks, (int Number, int Count)? Alone, TimeSpan TimeLeft);

/// <summary>Reckons how much of a transfer run is done, and how long the rest takes.</summary>
/// <param name="training">The training together.</param>
/// <param name="names">Names of the networks, in its order.</param>
/// <param name="alone">Which of them then train by themselves, by place.</param>
internal sealed class TransferForecast(JointTraining training, IReadOnlyList<string> names, IReadOnlyList<int> alone)
{
    private readonly double[] _seconds = new double[names.Count];

    private readonly double[] _steps = [.. names.Select(name => (double)(training.RecordOf(name)?.Steps ?? 0))];

    private double Whole => Math.Max(1, _steps.Sum() + alone.Sum(i => _steps[i]));

    /// <summary>While they train together. How long one takes by itself is known from its own steps here.</summary>
    public TransferProgress Of(JointProgress value)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (value.Learners[i] is { } own && own.Steps > own.Step) _seconds[i] = own.TimeLeft.TotalSeconds * own.Steps / (own.Steps - own.Step);
        }

        var networks = value.Learners.Select((own, i) => (Name: names[i], Training: own)).Where(of => of.Training is not null).Select(of => (of.Name, of.Training!.Value)).ToArray();
        // One that is done stands still, and at the end of all they stand together.
        var atWork = networks.Where(of => of.Value.Step < of.Value.Steps).ToArray();
        return new(networks.Sum(of => of.Value.Step) / Whole, atWork.Length > 0 ? atWork : networks, null, value.TimeLeft + Later(0));
    }

    /// <summary>While one trains by itself.</summary>
    /// <param name="place">Its place among those that do.</param>
    /// <param name="value">How far it has come.</param>
    public TransferProgress Of(int place, TrainingProgress value)
    {
        foreach (int i in alone.Where(i => _seconds[i] == 0)) _seconds[i] = training.RecordOf(names[i])!.History.Sum(epoch => epoch.Seconds);
        double done = _steps.Sum() + alone.Take(place).Sum(i => _steps[i]) + value.Step;
        return new(done / Whole, [(names[alone[place]], value)], (place + 1, alone.Count), value.TimeLeft + Later(place + 1));
    }

    private TimeSpan Later(int from) => TimeSpan.FromSeconds(Math.Min(alone.Skip(from).Sum(i => _seconds[i]), 1e9));
}
