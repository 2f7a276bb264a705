namespace Amalgam.Alignment;

/// <summary>Mean and variance of each channel over all batches, pooled from those of each (Chan, Golub and LeVeque, Updating Formulae, 1979), so that nothing cancels.</summary>
internal sealed class ChannelMoments(int channels)
{
    private readonly double[] _mean = new double[channels], _squares = new double[channels];
    private double _count;

    /// <summary>Adds a batch.</summary>
    /// <param name="statistics">Means, then population variances.</param>
    /// <param name="count">Numbers of each channel.</param>
    public void Add(ReadOnlySpan<float> statistics, int count)
    {
        double all = _count + count;
        for (int c = 0; c < _mean.Length; c++)
        {
            double difference = statistics[c] - _mean[c];
            _mean[c] += difference * count / all;
            _squares[c] += (double)statistics[_mean.Length + c] * count + difference * difference * _count * count / all;
        }

        _count = all;
    }

    /// <summary>The means.</summary>
    public ReadOnlySpan<double> Means => _mean;

    /// <summary>The standard deviation of a channel.</summary>
    public double Deviation(int channel) => Math.Sqrt(_squares[channel] / _count);
}
